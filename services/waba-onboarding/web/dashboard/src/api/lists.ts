import { queryOptions } from '@tanstack/react-query'
import { listConnections, listDestinations, type Connection, type Destination } from './generated'

// How much of a list the page reads at most; what is beyond it is said.
const PAGE = 200
const PAGES = 10

type Page<T> = { items: T[]; next: string }
export type Listed<T> = { items: T[]; partial: boolean }

// readAll follows page tokens up to PAGES pages.
async function readAll<T>(read: (pageToken: string) => Promise<Page<T>>): Promise<Listed<T>> {
  const items: T[] = []
  let next = ''
  for (let page = 0; page < PAGES; page++) {
    const answer = await read(next)
    items.push(...answer.items)
    next = answer.next
    if (!next) return { items, partial: false }
  }
  return { items, partial: true }
}

// allConnections are all that the caller may see, newest first: counts, search and filters need them all.
export const allConnections = queryOptions({
  queryKey: ['connections'],
  queryFn: ({ signal }) =>
    readAll<Connection>(async (pageToken) => {
      const { data } = await listConnections({ query: { pageSize: PAGE, pageToken: pageToken || undefined }, signal, throwOnError: true })
      return { items: data.connections ?? [], next: data.nextPageToken ?? '' }
    }),
})

// allDestinations are those of the caller.
export const allDestinations = queryOptions({
  queryKey: ['destinations'],
  queryFn: ({ signal }) =>
    readAll<Destination>(async (pageToken) => {
      const { data } = await listDestinations({ query: { pageSize: PAGE, pageToken: pageToken || undefined }, signal, throwOnError: true })
      return { items: data.destinations ?? [], next: data.nextPageToken ?? '' }
    }),
})

// destinationsOf are those that events of an organization go to.
export const destinationsOf = (organization: string | undefined, list: Destination[] | undefined) =>
  list?.filter((d) => d.organizationId === '*' || d.organizationId === organization)

// lastHeard is when Meta told of anyone last.
export const lastHeard = (list: Connection[]) =>
  list.reduce<string | undefined>((last, c) => (c.lastEventTime && (!last || c.lastEventTime > last) ? c.lastEventTime : last), undefined)
