import type { Connection, Destination } from './api/generated'
import { DAY, MINUTE } from './format'

// The seven links between a customer's number and the operator's system, in causal order: the first that is broken is
// why nothing works behind it.
export const LINKS = ['access', 'permissions', 'account', 'subscription', 'number', 'event', 'delivery'] as const
export type LinkName = (typeof LINKS)[number]

// idle: there is nothing to judge by, which is no fault.
export const LEVELS = ['ok', 'warn', 'broken', 'idle'] as const
export type Level = (typeof LEVELS)[number]

// What a person can do about a link that is not ok.
export const MENDS = ['check', 'subscribe', 'register', 'reconnect', 'destinations'] as const
export type Mend = (typeof MENDS)[number]

// What a link is judged by. The words of it are in words/.
export type Evidence =
  | { code: 'reason'; reason: string; message: string }
  | { code: 'tokenActive'; until?: string }
  | { code: 'tokenEnding'; until: string }
  | { code: 'tokenState'; state: string }
  | { code: 'ownBusiness' | 'noToken' | 'granted' | 'unknown' | 'shared' | 'notProven' | 'noEvent' | 'notConnected' | 'noAccess' }
  | { code: 'proven'; time: string }
  | { code: 'numberFine'; number: string; quality: string; count: number }
  | { code: 'numberQuality'; number: string; quality: string }
  | { code: 'numberStatus'; number: string; status: string; reason: string }
  | { code: 'event'; time: string }
  | { code: 'quiet'; time: string; others: string }
  | { code: 'delivered' | 'noDelivery' | 'noDestination' | 'noMessages' | 'unreadable' }
  | { code: 'held' | 'disabled' | 'waiting'; count: number; since?: string }
  | { code: 'failing'; count: number; failure: string }

export type Link = { name: LinkName; level: Level; evidence: Evidence; time?: string; mend?: Mend }

// What is known beside the connection itself.
export type Surroundings = {
  now: number
  // When any connection heard of Meta last: whether a silent one is alone.
  heard?: string
  // undefined: not known (yet).
  destinations?: Destination[]
}

const REASON_LINKS: Record<string, [LinkName, Level, Mend]> = {
  TOKEN_INVALID: ['access', 'broken', 'reconnect'],
  TOKEN_EXPIRED: ['access', 'broken', 'reconnect'],
  TOKEN_NOT_FOUND: ['access', 'broken', 'reconnect'],
  TOKEN_UNVERIFIED: ['access', 'warn', 'check'],
  PERMISSION_MISSING: ['permissions', 'broken', 'reconnect'],
  WABA_NOT_SHARED: ['account', 'broken', 'reconnect'],
  PARTNER_REMOVED: ['account', 'broken', 'reconnect'],
  ACCOUNT_DELETED: ['account', 'broken', 'reconnect'],
  WABA_CLAIMED_ELSEWHERE: ['account', 'broken', 'reconnect'],
  ACCOUNT_DISABLED: ['account', 'broken', 'check'],
  ACCOUNT_REJECTED: ['account', 'broken', 'check'],
  ACCOUNT_RESTRICTED: ['account', 'warn', 'check'],
  ACCOUNT_OFFBOARDED: ['account', 'warn', 'check'],
  WEBHOOK_SUBSCRIPTION_FAILED: ['subscription', 'broken', 'subscribe'],
  NO_PHONE_NUMBER: ['number', 'broken', 'check'],
  SENDING_BLOCKED: ['number', 'broken', 'check'],
  PHONE_NUMBER_NOT_VERIFIED: ['number', 'broken', 'check'],
  PIN_REQUIRED: ['number', 'broken', 'register'],
  REGISTRATION_FAILED: ['number', 'broken', 'register'],
  DISPLAY_NAME_IN_REVIEW: ['number', 'warn', 'check'],
}

const WEIGHT: Record<Level, number> = { idle: 0, ok: 0, warn: 1, broken: 2 }

// chain judges a connection link by link.
export function chain(connection: Connection, around: Surroundings): Link[] {
  if (connection.state === 'DISCONNECTED') {
    return LINKS.map((name) => ({ name, level: 'idle', evidence: { code: 'notConnected' } }))
  }
  const links: Record<LinkName, Link> = {
    access: access(connection, around.now),
    permissions: permissions(connection),
    account: account(connection),
    subscription: subscription(connection),
    number: numbers(connection),
    event: event(connection, around),
    delivery: delivery(around.destinations, around.now),
  }
  const said = new Set<LinkName>()
  for (const { reason = '', message = '' } of connection.reasons ?? []) {
    const link = reason === 'PHONE_NUMBER_UNHEALTHY' ? unhealthy(connection, reason, message) : linkOf(reason, message)
    if (!link) continue
    const { name } = link
    // What the service says weighs more than what the page concludes, but makes no worse fact look better. Its first word
    // of a link is the most exact.
    const worse = WEIGHT[link.level] - WEIGHT[links[name].level]
    if (worse < 0 || (worse === 0 && said.has(name))) continue
    said.add(name)
    links[name] = { ...links[name], ...link }
  }
  if (links.access.level === 'broken') {
    // Without access nothing of this can be read any more.
    for (const name of ['permissions', 'account'] as const) {
      if (links[name].level === 'ok' || links[name].evidence.code === 'unknown') links[name] = { name, level: 'idle', evidence: { code: 'noAccess' } }
    }
  }
  return LINKS.map((name) => links[name])
}

function linkOf(reason: string, message: string): Link | undefined {
  const place = REASON_LINKS[reason]
  return place && { name: place[0], level: place[1], evidence: { code: 'reason', reason, message }, mend: place[2] }
}

// firstFault is the link that the verdict names: the first that is broken, else the first that needs a look.
export const firstFault = (links: Link[]) => links.find((l) => l.level === 'broken') ?? links.find((l) => l.level === 'warn')

function access({ token, state }: Connection, now: number): Link {
  const name = 'access'
  if (!token?.state) return { name, level: state === 'CLAIMING' ? 'idle' : 'broken', evidence: { code: 'noToken' }, mend: 'reconnect' }
  if (token.state === 'UNVERIFIED') return { name, level: 'warn', evidence: { code: 'tokenState', state: token.state }, mend: 'check' }
  if (token.state !== 'ACTIVE') return { name, level: 'broken', evidence: { code: 'tokenState', state: token.state }, mend: 'reconnect' }
  if (token.ownBusiness) return { name, level: 'ok', evidence: { code: 'ownBusiness' } }
  const until = token.expireTime
  if (until && endsSoon(until, now)) return { name, level: 'warn', evidence: { code: 'tokenEnding', until }, mend: 'reconnect' }
  return { name, level: 'ok', evidence: { code: 'tokenActive', until } }
}

// endsSoon tells whether access ends within two weeks: nobody but the customer renews it.
export const endsSoon = (until: string, now: number) => new Date(until).getTime() - now < 14 * DAY

function permissions({ token, subscription }: Connection): Link {
  // Reading the account and subscribing to it are what the permissions are for.
  const granted = token?.state === 'ACTIVE' && subscription?.proven
  return { name: 'permissions', level: granted ? 'ok' : 'idle', evidence: { code: granted ? 'granted' : 'unknown' } }
}

function account({ token, name, state }: Connection): Link {
  const shared = token?.state === 'ACTIVE' && state !== 'CLAIMING' && name !== ''
  return { name: 'account', level: shared ? 'ok' : 'idle', evidence: { code: shared ? 'shared' : 'unknown' } }
}

function subscription({ subscription: s, state }: Connection): Link {
  const name = 'subscription'
  if (s?.proven && s.proveTime) return { name, level: 'ok', evidence: { code: 'proven', time: s.proveTime }, time: s.proveTime }
  return { name, level: state === 'CLAIMING' ? 'idle' : 'broken', evidence: { code: 'notProven' }, time: s?.proveTime, mend: 'subscribe' }
}

// A number's status is judged by the service, in a reason, once the claim has ended.
function numbers({ phoneNumbers: list = [], state }: Connection): Link {
  const name = 'number'
  const low = list.find((n) => n.qualityRating === 'RED')
  if (low) {
    return { name, level: 'warn', evidence: { code: 'numberQuality', number: low.displayPhoneNumber ?? '', quality: 'RED' }, mend: 'check' }
  }
  const first = list[0]
  if (!first || state === 'CLAIMING') return { name, level: 'idle', evidence: { code: 'unknown' } }
  const evidence: Evidence = {
    code: 'numberFine', number: first.displayPhoneNumber ?? '', quality: first.qualityRating ?? '', count: list.length,
  }
  return { name, level: 'ok', evidence }
}

// unhealthy says which number the service means, and what Meta says of it. What Meta flags or limits still works.
function unhealthy({ phoneNumbers = [] }: Connection, reason: string, message: string): Link {
  const bad = phoneNumbers.filter((n) => n.status && !['CONNECTED', 'PENDING'].includes(n.status))
  const works = (status = '') => ['FLAGGED', 'RATE_LIMITED'].includes(status)
  const worst = bad.find((n) => !works(n.status)) ?? bad[0]
  const evidence: Evidence = worst
    ? { code: 'numberStatus', number: worst.displayPhoneNumber ?? '', status: worst.status ?? '', reason }
    : { code: 'reason', reason, message }
  return { name: 'number', level: works(worst?.status) ? 'warn' : 'broken', evidence, mend: 'check' }
}

function event({ lastEventTime: time }: Connection, { now, heard }: Surroundings): Link {
  const name = 'event'
  if (!time) return { name, level: 'idle', evidence: { code: 'noEvent' } }
  const silent = now - new Date(time).getTime()
  // Silence alone is no verdict: customers have quiet days. It is worth a look only where others are heard.
  if (heard && silent > 3 * DAY && now - new Date(heard).getTime() < DAY) {
    return { name, level: 'warn', evidence: { code: 'quiet', time, others: heard }, time, mend: 'check' }
  }
  return { name, level: 'ok', evidence: { code: 'event', time }, time }
}

function delivery(destinations: Destination[] | undefined, now: number): Link {
  const name = 'delivery'
  if (!destinations) return { name, level: 'idle', evidence: { code: 'unreadable' } }
  if (destinations.length === 0) return { name, level: 'idle', evidence: { code: 'noDestination' } }
  const count = (d: Destination) => Number(d.pendingCount ?? 0)
  const held = destinations.find((d) => d.state === 'HELD')
  if (held) return { name, level: 'broken', evidence: { code: 'held', count: count(held), since: held.pendingSince }, mend: 'destinations' }
  const disabled = destinations.find((d) => d.state === 'DISABLED')
  if (disabled) return { name, level: 'warn', evidence: { code: 'disabled', count: count(disabled) }, mend: 'destinations' }
  const failing = destinations.find((d) => d.reason)
  if (failing) {
    return { name, level: 'warn', evidence: { code: 'failing', count: count(failing), failure: failing.reason ?? '' }, mend: 'destinations' }
  }
  const receiving = destinations.filter(takesMessages)
  if (receiving.length === 0) return { name, level: 'idle', evidence: { code: 'noMessages' } }
  const waiting = receiving.find((d) => count(d) > 0)
  if (waiting) {
    // What came just now is on its way.
    const late = now - new Date(waiting.pendingSince ?? 0).getTime() > MINUTE
    const evidence: Evidence = { code: 'waiting', count: count(waiting), since: waiting.pendingSince }
    return late ? { name, level: 'warn', evidence, mend: 'destinations' } : { name, level: 'ok', evidence }
  }
  const time = receiving.map((d) => d.lastSuccessTime ?? '').sort().at(-1)
  return time ? { name, level: 'ok', evidence: { code: 'delivered' }, time } : { name, level: 'idle', evidence: { code: 'noDelivery' } }
}

// takesMessages: no event types are all.
const takesMessages = ({ eventTypes = [] }: Destination) =>
  eventTypes.length === 0 || eventTypes.some((type) => type === 'change.messages' || type === 'change.*')
