import { expect, test } from 'vitest'
import type { Connection, Destination } from '../src/api/generated'
import { chain, firstFault, LINKS, type Level, type LinkName } from '../src/chain'
import { judge, worstFirst } from '../src/connection/verdict'
import { makeFormat } from '../src/format'
import { WORDS } from '../src/words'

const now = Date.parse('2026-11-24T12:00:00Z')
const ago = (hours: number) => new Date(now - hours * 3_600_000).toISOString()
const inDays = (days: number) => new Date(now + days * 86_400_000).toISOString()

const healthy: Connection = {
  connectionId: '1', organizationId: 'loja', wabaId: '10', name: 'Loja', state: 'CONNECTED', reasons: [], stateTime: ago(48),
  phoneNumbers: [{ phoneNumberId: '2', displayPhoneNumber: '+55 11 91234-5678', status: 'CONNECTED', qualityRating: 'GREEN', registration: 'NOT_NEEDED' }],
  token: { tokenId: '3', state: 'ACTIVE', ownBusiness: false },
  subscription: { proven: true, proveTime: ago(1), reason: '' },
  lastEventTime: ago(0.1),
}
const destination: Destination = { destinationId: 'd', organizationId: 'loja', state: 'ACTIVE', reason: '', pendingCount: '0', lastSuccessTime: ago(0.1) }

const reason = (name: string) => ({ reason: name, message: `said: ${name}`, nextAction: '' })
const levels = (c: Connection, around = {}) => Object.fromEntries(chain(c, { now, destinations: [destination], ...around }).map((l) => [l.name, l.level])) as Record<LinkName, Level>

test('a healthy connection has seven links in order, in causal order', () => {
  const links = chain(healthy, { now, heard: ago(0.1), destinations: [destination] })
  expect(links.map((l) => l.name)).toEqual([...LINKS])
  expect(links.every((l) => l.level === 'ok')).toBe(true)
  expect(firstFault(links)).toBeUndefined()
})

const cases: [string, Connection, LinkName, Level, string | undefined][] = [
  ['a dead token', { ...healthy, state: 'RECONNECT_REQUIRED', token: { state: 'INVALID' } }, 'access', 'broken', 'reconnect'],
  ['an expired token', { ...healthy, token: { state: 'EXPIRED' } }, 'access', 'broken', 'reconnect'],
  ['access that ends within two weeks', { ...healthy, token: { state: 'ACTIVE', expireTime: inDays(9) } }, 'access', 'warn', 'reconnect'],
  ['a token that the service calls dead before the broker does', { ...healthy, reasons: [reason('TOKEN_INVALID')] }, 'access', 'broken', 'reconnect'],
  ['a missing permission', { ...healthy, reasons: [reason('PERMISSION_MISSING')] }, 'permissions', 'broken', 'reconnect'],
  ['an account that is not shared', { ...healthy, reasons: [reason('WABA_NOT_SHARED')] }, 'account', 'broken', 'reconnect'],
  ['an account whose sharing ended', { ...healthy, reasons: [reason('PARTNER_REMOVED')] }, 'account', 'broken', 'reconnect'],
  ['a restricted account', { ...healthy, reasons: [reason('ACCOUNT_RESTRICTED')] }, 'account', 'warn', 'check'],
  ['a lost subscription', { ...healthy, subscription: { proven: false, proveTime: ago(2) } }, 'subscription', 'broken', 'subscribe'],
  ['a number that needs its PIN', { ...healthy, reasons: [reason('PIN_REQUIRED')] }, 'number', 'broken', 'register'],
  ['a name in review', { ...healthy, reasons: [reason('DISPLAY_NAME_IN_REVIEW')] }, 'number', 'warn', 'check'],
  ['a banned number', { ...healthy, phoneNumbers: [{ status: 'BANNED' }], reasons: [reason('PHONE_NUMBER_UNHEALTHY')] }, 'number', 'broken', 'check'],
  ['a flagged number, which still works', { ...healthy, phoneNumbers: [{ status: 'FLAGGED', qualityRating: 'RED' }], reasons: [reason('PHONE_NUMBER_UNHEALTHY')] }, 'number', 'warn', 'check'],
  ['a number that nobody proved', { ...healthy, reasons: [reason('PHONE_NUMBER_NOT_VERIFIED')] }, 'number', 'broken', 'check'],
  ['a number of low quality', { ...healthy, phoneNumbers: [{ status: 'CONNECTED', qualityRating: 'RED' }] }, 'number', 'warn', 'check'],
]
test.each(cases)('%s is found at its link', (_, connection, name, level, mend) => {
  const links = chain(connection, { now, destinations: [destination] })
  const fault = firstFault(links)
  expect([fault?.name, fault?.level, fault?.mend]).toEqual([name, level, mend])
})

test('what is broken comes before what needs a look, wherever it stands', () => {
  const both = { ...healthy, token: { state: 'ACTIVE', expireTime: inDays(2) }, subscription: { proven: false } }
  expect(firstFault(chain(both, { now }))?.name).toBe('subscription')
})

test('without access nothing is said to be in order that access is needed to see', () => {
  expect(levels({ ...healthy, reasons: [reason('TOKEN_INVALID')] })).toMatchObject({ access: 'broken', permissions: 'idle', account: 'idle', subscription: 'ok' })
  const dead = chain({ ...healthy, token: { state: 'INVALID' } }, { now })
  expect(dead.slice(1, 3).map((l) => l.evidence.code)).toEqual(['noAccess', 'noAccess'])
})

test('a milder word of the service does not make a broken link look better', () => {
  expect(levels({ ...healthy, reasons: [reason('PHONE_NUMBER_UNHEALTHY'), reason('DISPLAY_NAME_IN_REVIEW')] }).number).toBe('broken')
})

test('what is wrong with a number is said as exactly as it is known', () => {
  const numbers = [{ displayPhoneNumber: '+1', status: 'CONNECTED' }, { displayPhoneNumber: '+2', status: 'FLAGGED' }, { displayPhoneNumber: '+3', status: 'BANNED' }]
  const evidence = (...names: string[]) => chain({ ...healthy, phoneNumbers: numbers, reasons: names.map(reason) }, { now })[4]!.evidence
  expect(evidence('PHONE_NUMBER_UNHEALTHY')).toMatchObject({ code: 'numberStatus', number: '+3', status: 'BANNED' })
  expect(evidence('PHONE_NUMBER_NOT_VERIFIED', 'PHONE_NUMBER_UNHEALTHY')).toMatchObject({ reason: 'PHONE_NUMBER_NOT_VERIFIED' })
  expect(evidence('PHONE_NUMBER_UNHEALTHY', 'SENDING_BLOCKED')).toMatchObject({ code: 'numberStatus', status: 'BANNED' })
  expect(evidence('PIN_REQUIRED', 'REGISTRATION_FAILED')).toMatchObject({ reason: 'PIN_REQUIRED' })
})

test('the status of a number is judged by the service alone', () => {
  expect(levels({ ...healthy, phoneNumbers: [{ status: 'OFFLINE', qualityRating: 'GREEN' }] }).number).toBe('ok')
})

test('silence is a question only where others are heard', () => {
  const silent = { ...healthy, lastEventTime: ago(24 * 5) }
  expect(levels(silent, { heard: ago(1) }).event).toBe('warn')
  expect(levels(silent, { heard: ago(24 * 5) }).event).toBe('ok')
  expect(levels({ ...healthy, lastEventTime: undefined }).event).toBe('idle')
})

test('deliveries that are held break the last link; none and unknown are no fault', () => {
  expect(levels(healthy, { destinations: [destination, { ...destination, state: 'HELD', pendingCount: '3' }] }).delivery).toBe('broken')
  expect(levels(healthy, { destinations: [{ ...destination, state: 'DISABLED' }] }).delivery).toBe('warn')
  expect(levels(healthy, { destinations: [{ ...destination, reason: 'HTTP 500' }] }).delivery).toBe('warn')
  expect(levels(healthy, { destinations: [] }).delivery).toBe('idle')
  expect(levels(healthy, { destinations: undefined }).delivery).toBe('idle')
})

test('everything was received only where messages go, some were delivered and none waits', () => {
  const of = (d: Partial<Destination>) => {
    const { level, evidence } = chain(healthy, { now, destinations: [{ ...destination, ...d }] })[6]!
    return [level, evidence.code]
  }
  expect(of({})).toEqual(['ok', 'delivered'])
  expect(of({ eventTypes: ['change.*'] })).toEqual(['ok', 'delivered'])
  expect(of({ eventTypes: ['connection.disconnected', 'change.account_update'] })).toEqual(['idle', 'noMessages'])
  expect(of({ lastSuccessTime: undefined })).toEqual(['idle', 'noDelivery'])
  expect(of({ pendingCount: '3', pendingSince: ago(1) })).toEqual(['warn', 'waiting'])
  expect(of({ pendingCount: '3', pendingSince: ago(0.001) })).toEqual(['ok', 'waiting'])
  expect(of({ pendingCount: '3', reason: 'no answer within ten seconds' })).toEqual(['warn', 'failing'])
})

test('who gave no answer did not refuse', () => {
  const format = makeFormat('pt-BR', 'UTC')
  const said = (failure: string) => WORDS['pt-BR'].evidence({ code: 'failing', count: 3, failure }, format, now)
  expect(said('HTTP 503')).toBe('O seu sistema recusou (HTTP 503); 3 eventos serão tentados de novo')
  expect(said('no answer within ten seconds')).toBe('Não chegou ao seu sistema (sem resposta em dez segundos); 3 eventos serão tentados de novo')
  expect(said('HTTP 302: redirects are not followed')).toContain('(HTTP 302: redirecionamentos não são seguidos)')
})

test('a connection that ended is not judged', () => {
  const ended: Connection = { ...healthy, state: 'DISCONNECTED', token: {}, subscription: {} }
  expect(new Set(Object.values(levels(ended)))).toEqual(new Set(['idle']))
})

test('a claim that goes on is no fault', () => {
  const claiming: Connection = { ...healthy, state: 'CLAIMING', token: {}, subscription: { proven: false }, lastEventTime: undefined }
  expect(firstFault(chain(claiming, { now }))).toBeUndefined()
})

test.each(Object.entries(WORDS))('every verdict is a sentence in %s', (language, words) => {
  const format = makeFormat(language as keyof typeof WORDS, 'UTC')
  const others: Connection[] = [healthy, { ...healthy, lastEventTime: undefined }, { ...healthy, state: 'DISCONNECTED' }, { ...healthy, state: 'CLAIMING' }]
  for (const connection of [...cases.map(([, c]) => c), ...others]) {
    const { sentence, links } = judge(connection, { now, destinations: [destination] }, words, format)
    expect(sentence).toMatch(/^[^\s].*[.!?]$/)
    expect(sentence).not.toMatch(/undefined|NaN|\.\./)
    for (const link of links) expect(words.evidence(link.evidence, format, now)).toBeTruthy()
  }
})

test('the sentence of the service is the verdict where it has one', () => {
  const { sentence } = judge({ ...healthy, reasons: [reason('PIN_REQUIRED')] }, { now }, WORDS.en, makeFormat('en', 'UTC'))
  expect(sentence).toBe('said: PIN_REQUIRED.')
})

test('the worst comes first', () => {
  const states = ['DISCONNECTED', 'CONNECTED', 'CLAIMING', 'RECONNECT_REQUIRED', 'ATTENTION'] as const
  const sorted = states.map((state) => ({ ...healthy, state })).sort(worstFirst).map((c) => c.state)
  expect(sorted).toEqual(['RECONNECT_REQUIRED', 'ATTENTION', 'CLAIMING', 'CONNECTED', 'DISCONNECTED'])
})
