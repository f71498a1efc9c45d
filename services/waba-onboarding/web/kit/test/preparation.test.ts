import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSignup } from '../src/index'
import { as, give, pass, ready, world } from './signup'
import { settle } from './world'

test('sessions are renewed before they run out, once somebody looks', async () => {
  const signup = await ready()
  await pass(29 * 60_000)
  as(signup, 'ready')
  assert.equal(world.sessions.length, 2)
  world.document.hidden = true
  await pass(29 * 60_000)
  assert.equal(world.sessions.length, 2)
  world.document.hidden = false
  world.document.dispatchEvent(new Event('visibilitychange'))
  await settle()
  assert.equal(world.sessions.length, 3)
  signup.open()
  world.login.answer(give)
  await settle()
  assert.equal(world.callsOf('claim-waba')[0]?.body?.['onboardingId'], 'onboarding-3')
})

test('a computer whose clock is wrong does not ask for sessions without end', async () => {
  world.session = { expireTime: '2020-01-01T00:00:00Z' }
  await ready()
  await pass(20 * 60_000)
  assert.equal(world.sessions.length, 1)
})

test('a back end that is away is asked again, and less and less', async () => {
  world.sessionFails = 2
  const signup = createSignup(world.options())
  await settle()
  const { error, ready: open } = as(signup, 'failed')
  assert.deepEqual([error.reason, open], ['SESSION_UNAVAILABLE', false])
  await pass(2_000)
  await pass(4_000)
  as(signup, 'ready')

  world.sessionFails = Infinity
  const hopeless = createSignup(world.options())
  for (let i = 0; i < 20; i++) await pass(60_000)
  as(hopeless, 'failed')
  world.sessionFails = 0
  hopeless.reset()
  await settle()
  as(hopeless, 'ready')
})

test('a back end that was away for long is found again: within half a minute, and at once when the network or somebody is back', async () => {
  for (const back of [() => pass(30_000), () => world.window.dispatchEvent(new Event('online')), () => world.document.dispatchEvent(new Event('visibilitychange'))]) {
    world.sessionFails = Infinity
    const signup = createSignup(world.options())
    for (let i = 0; i < 20; i++) await pass(30_000)
    as(signup, 'failed')
    world.sessionFails = 0
    await back()
    await settle()
    as(signup, 'ready')
    signup.destroy()
  }
})

test('a back end that is away while a session is renewed, and a page that nobody sees, which asks nothing', async () => {
  const signup = await ready()
  world.sessionFails = Infinity
  for (let i = 0; i < 60; i++) await pass(30_000)
  as(signup, 'failed')
  world.document.hidden = true
  world.sessionFails = 0
  await pass(60 * 60_000)
  as(signup, 'failed')
  world.document.hidden = false
  world.document.dispatchEvent(new Event('visibilitychange'))
  await settle()
  as(signup, 'ready')
})

test('an answer that is no session is refused', async () => {
  const signup = createSignup(world.options({ session: async () => ({ error: 'unauthenticated' }) as never }))
  await settle()
  assert.equal(as(signup, 'failed').error.reason, 'SESSION_UNAVAILABLE')
})

test('an SDK that does not load: the whole page leaves, or it is said', async () => {
  world.sdk = 'fails'
  const signup = await ready()
  signup.open()
  assert.equal(world.assigned.length, 1)

  const popupOnly = createSignup(world.options({ flow: 'popup' }))
  await settle()
  const state = as(popupOnly, 'failed')
  assert.deepEqual([state.error.reason, state.ready], ['SDK_UNAVAILABLE', false])
  world.sdk = 'loads'
  popupOnly.reset()
  await settle()
  as(popupOnly, 'ready')
})
