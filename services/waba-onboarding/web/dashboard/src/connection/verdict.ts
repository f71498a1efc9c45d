import type { Connection, ConnectionState } from '../api/generated'
import { chain, firstFault, type Level, type Link, type Surroundings } from '../chain'
import type { Format } from '../format'
import type { Words } from '../words'

export type Verdict = { level: Level | 'busy'; sentence: string; fault?: Link; links: Link[] }

// judge says how a connection is, in one sentence: the first fault of its chain, or what is well.
export function judge(connection: Connection, around: Surroundings, words: Words, format: Format): Verdict {
  const links = chain(connection, around)
  const fault = firstFault(links)
  const said = words.connection.verdict
  if (connection.state === 'DISCONNECTED') {
    return { level: 'idle', sentence: said.disconnected(format.date(connection.stateTime ?? around.now)), links }
  }
  if (connection.state === 'CLAIMING') return { level: 'busy', sentence: said.claimingSoon, links }
  if (fault) return { level: fault.level, sentence: sentence(words.evidence(fault.evidence, format, around.now)), fault, links }
  if (!connection.lastEventTime) return { level: 'ok', sentence: said.noEvent, links }
  return { level: 'ok', sentence: `${said.connected} ${said.lastEvent(format.ago(connection.lastEventTime, around.now))}`, links }
}

const sentence = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`)

// WORST_FIRST are the states of a connection: what only the customer can mend, then what needs a hand, then what is under way.
export const WORST_FIRST = ['RECONNECT_REQUIRED', 'ATTENTION', 'CLAIMING', 'CONNECTED', 'DISCONNECTED'] as const satisfies readonly ConnectionState[]
const rank = ({ state }: Connection) => (WORST_FIRST.findIndex((s) => s === state) + 1) || WORST_FIRST.length + 1
export const worstFirst = (a: Connection, b: Connection) =>
  rank(a) - rank(b) || (b.stateTime ?? '').localeCompare(a.stateTime ?? '')
