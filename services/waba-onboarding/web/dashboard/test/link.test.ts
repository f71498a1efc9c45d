import { expect, test } from 'vitest'
import type { Onboarding } from '../src/api/generated'
import { isOver, linkOf, mailShare, stageOf, STAGES, whatsappShare } from '../src/connect/link'

const now = Date.parse('2026-11-24T12:00:00Z')
const expires = now + 60_000

test('a link carries its token in the fragment, which no server sees', () => {
  const link = linkOf({ onboardingId: 'one', clientToken: 'wct_a-b_c', expireTime: '2026-11-24T12:01:00Z' }, 'https://connect.example')
  const url = new URL(link.address)
  expect(link).toMatchObject({ onboardingId: 'one', expires })
  expect([url.origin, url.pathname, url.search, url.hash]).toEqual(['https://connect.example', '/connect', '', '#wct_a-b_c'])
})

test('what is shared survives the address that carries it', () => {
  const text = 'Olá & bem-vindo?\nhttps://connect.example/connect#wct_1'
  expect(new URL(whatsappShare(text)).searchParams.get('text')).toBe(text)
  expect(new URL(whatsappShare(text)).hash).toBe('')
  expect(new URLSearchParams(mailShare('Conectar + mais', text).split('?')[1]).get('body')).toBe(text)
})

const at = (run: Onboarding | undefined, time = now) => stageOf(run, expires, time)

test.each<[Onboarding | undefined, string]>([
  [undefined, 'waiting'],
  [{ state: 'STARTED' }, 'waiting'],
  [{ state: 'STARTED', signup: { event: 'OPENED' } }, 'opened'],
  [{ state: 'STARTED', signup: { event: 'FINISHED' } }, 'connecting'],
  [{ state: 'STARTED', signup: { event: 'BLOCKED' } }, 'blocked'],
  [{ state: 'STARTED', signup: { event: 'FAILED' } }, 'refused'],
  [{ state: 'CANCELLED', signup: { event: 'CANCELLED' } }, 'left'],
  [{ state: 'CANCELLED', signup: { event: 'OPENED' } }, 'opened'],
  [{ state: 'CHOOSING_WABA' }, 'choosing'],
  [{ state: 'EXCHANGING' }, 'connecting'],
  [{ state: 'CLAIMING' }, 'connecting'],
  [{ state: 'CONNECTED' }, 'connected'],
  [{ state: 'FAILED' }, 'failed'],
  [{ state: 'EXPIRED' }, 'expired'],
])('%o is %s', (run, stage) => expect(at(run)).toBe(stage))

test('a link ends with its time, but not what was begun in time', () => {
  expect(at({ state: 'STARTED' }, expires)).toBe('expired')
  expect(at({ state: 'CANCELLED', signup: { event: 'CANCELLED' } }, expires)).toBe('expired')
  expect(at({ state: 'CLAIMING' }, expires)).toBe('connecting')
  expect(STAGES.filter(isOver)).toEqual(['connected', 'failed', 'expired'])
})
