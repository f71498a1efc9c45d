import { expect, test } from 'vitest'
import { device } from '../src/attempts/device'
import { matches } from '../src/connections/matches'
import { csv } from '../src/csv'
import { inAppBrowser, takeLink } from '../src/customer/link'
import { limit, makeFormat, phone } from '../src/format'
import { preferredLanguage } from '../src/language'
import { bars } from '../src/overview/bars'
import { takeToken } from '../src/api/session'
import { Problem } from '../src/api/problem'
import { cut, visible } from '../src/ui/visible'

const pt = makeFormat('pt-BR', 'America/Sao_Paulo')
const en = makeFormat('en', 'UTC')
const now = Date.parse('2026-11-24T12:00:00Z')

test.each([
  ['5511912345678', '+55 11 91234-5678'],
  ['551134567890', '+55 11 3456-7890'],
  ['14155550134', '+1 415 555-0134'],
  ['971501234567', '+971501234567'],
  ['+55 11 91234-5678', '+55 11 91234-5678'],
  ['', ''],
  [undefined, ''],
])('the phone number %s is written %s', (number, written) => expect(phone(number)).toBe(written))

test('times are said in the viewer’s language and zone', () => {
  const time = '2026-11-24T02:30:00.123456Z'
  expect(pt.time(time)).toBe('23:30')
  expect(pt.date(time)).toBe('23/11/2026')
  expect(pt.dayKey(time)).toBe('2026-11-23')
  expect(en.dayKey(time)).toBe('2026-11-24')
})

test('ages are rounded towards what is certain', () => {
  expect(en.ago('2026-11-24T11:56:10Z', now)).toBe('3 min ago')
  expect(en.ago('2026-11-23T13:00:00Z', now)).toBe('23 hr ago')
  expect(pt.ago('2026-12-03T12:00:00Z', now)).toBe('em 9 dias')
  expect(pt.ago('2026-09-24T12:00:00Z', now)).toBe('há 2 meses')
})

test('durations are short', () => {
  expect(en.duration(42)).toBe('42 ms')
  expect(en.duration(1_500)).toBe('1.5 sec')
  expect(makeFormat('pt-BR', 'UTC').percent(64)).toBe('64%')
  expect(en.duration(0)).toBe('0 ms')
  expect(en.duration(120_000)).toBe('2 min')
  expect(en.duration(40 * 3_600_000)).toBe('40 hr')
  expect(en.duration(72 * 3_600_000)).toBe('3 days')
})

test('Meta’s limits are shortened, and unknown ones stay', () => {
  expect(limit('TIER_10K')).toBe('10K')
  expect(limit('SOMETHING')).toBe('SOMETHING')
})

test('CSV quotes what needs it and starts no formula', () => {
  const text = csv([['a,b', 'say "x"', '=cmd()', '+55 11 91234-5678', undefined]])
  expect(text).toBe('\ufeff"a,b","say ""x""",\'=cmd(),+55 11 91234-5678,\r\n')
})

test('the search finds names without accents and numbers without signs', () => {
  const connection = { name: 'Ótica Luz', organizationId: 'otica', phoneNumbers: [{ displayPhoneNumber: '+55 41 97777-0001' }] }
  for (const search of ['otica', 'ÓTICA luz', '977770001', '97777-0001', '']) expect(matches(connection, search)).toBe(true)
  expect(matches(connection, 'padaria')).toBe(false)
})

test('the language is the chosen one, else the browser’s first that we speak', () => {
  expect(preferredLanguage('en', ['pt-BR'])).toBe('en')
  expect(preferredLanguage(null, ['fr', 'pt-PT', 'en'])).toBe('pt-BR')
  expect(preferredLanguage('xx', ['de'])).toBe('en')
})

const address = (hash: string) => {
  const seen: string[] = []
  return { location: { hash, pathname: '/connections', search: '?org=a' } as Location, history: { replaceState: (_: unknown, __: string, url: string) => seen.push(url) } as unknown as History, seen }
}

test('a token in the address is taken, and taken out', () => {
  const { location, history, seen } = address('#token=wco_ABC')
  expect(takeToken(location, history)).toBe('wco_ABC')
  expect(seen).toEqual(['/connections?org=a'])
  expect(takeToken(address('#main').location, history)).toBe('')
  expect(takeToken(address('#token=a b').location, history)).toBe('')
})

test('the token of a customer’s link is taken out, and that of the full page that came back', () => {
  const { location, history, seen } = address('#wcl_ABC')
  expect(takeLink(location, history).token).toBe('wcl_ABC')
  expect(seen).toHaveLength(1)
  const back = address('#whatrack-connect=wct_ABC&onboarding=0193-7&fbclid=x')
  expect(takeLink(back.location, back.history)).toEqual({ token: 'wct_ABC', onboardingId: '0193-7', lost: false })
  expect(back.seen).toEqual(['/connections?org=a'])
  expect(takeLink(address('').location, { ...history, state: { link: true } })).toEqual({ token: '', lost: true })
  expect(takeLink(address('').location, { ...history, state: null })).toEqual({ token: '', lost: false })
})

test('an error says its reason, its sentence and what to quote', () => {
  const said = { field: 'pin', reason: 'SIX_DIGITS', description: 'six digits', localizedMessage: { locale: 'pt-BR', message: 'deve ter seis algarismos' } }
  const body = {
    code: 9,
    message: 'for logs',
    details: [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'TOKEN_INVALID', metadata: { state: 'REVOKED' } },
      { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'pt-BR', message: 'O acesso não vale mais.' },
      { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [said, { field: 'text.body', description: 'is odd' }] },
    ],
  }
  const problem = new Problem(400, body, 'req-1')
  expect(problem).toMatchObject({ reason: 'TOKEN_INVALID', text: 'O acesso não vale mais.', requestId: 'req-1', fields: [{ field: 'pin', rule: 'deve ter seis algarismos' }, { field: 'text.body', rule: 'is odd' }], passing: false })
  expect(new Problem(0, new TypeError('fetch failed'), '')).toMatchObject({ reason: 'NO_ANSWER', passing: true })
  expect(new Problem(502, '<html>', '')).toMatchObject({ reason: 'NOT_OURS', passing: true })
  expect(new Problem(501, null, '').passing).toBe(false)
})

test('control and direction characters of foreign texts are taken out', () => {
  expect(visible('Loja\u202eexe.txt\u0007')).toBe('Lojaexe.txt')
  expect(visible('مرحبا\nLoja ❤️')).toBe('مرحبا\nLoja ❤️')
})

test('devices are named', () => {
  expect(device('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1')).toBe('Safari · iPhone')
  expect(device('Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 Instagram 300.0')).toBe('Instagram · Android')
  expect(device('')).toBe('')
  expect(inAppBrowser('Mozilla/5.0 (Linux; Android 14; wv) Instagram 300.0')).toBe(true)
})

test('traffic is counted over a day, or since the oldest that was read', () => {
  const hour = 3_600_000
  const day = bars([now - hour, now - 23.5 * hour, now - 30 * hour], now, false)
  expect(day).toMatchObject({ from: now - 24 * hour, total: 2 })
  expect(bars([now - hour, now - 2 * hour], now, true)).toMatchObject({ from: now - 2 * hour, total: 2 })
  expect(bars([], now, false)).toBeUndefined()
})

test('a name is cut between characters, and only where it is long', () => {
  expect(cut('Padaria do João')).toBe('Padaria do João')
  expect(cut('🥖'.repeat(80))).toBe('🥖'.repeat(80))
  expect(cut('🥖'.repeat(81))).toBe(`${'🥖'.repeat(79)}…`)
})
