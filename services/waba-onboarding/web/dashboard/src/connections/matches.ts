import type { Connection } from '../api/generated'

// matches looks for every word of the search in the names, numbers and ids of a connection.
export function matches(c: Connection, search: string): boolean {
  const numbers = (c.phoneNumbers ?? []).flatMap((n) => [n.displayPhoneNumber, n.displayPhoneNumber?.replace(/\D/g, ''), n.phoneNumberId, n.verifiedName])
  const text = plain([c.name, c.organizationId, c.wabaId, c.businessId, c.connectionId, ...numbers].join(' '))
  return plain(search).split(/\s+/).every((word) => text.includes(word))
}

const plain = (text: string) => text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase()
