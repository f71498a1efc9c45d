import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as, closed, give, newWorld, opened, pass, ready, world } from './signup'
import { finish, refusal, settle } from './world'

test('messages of others are ignored', async (t) => {
  const cases: [string, unknown, (string | undefined)?, unknown?][] = [
    ['a longer domain', finish, 'https://evilfacebook.com'],
    ['a domain in front', finish, 'https://www.facebook.com.evil.io'],
    ['the domain without www, in front', finish, 'https://facebook.com.evil.io'],
    ['the domain without www', finish, 'https://facebook.com'],
    ['http', finish, 'http://www.facebook.com'],
    ['another port', finish, 'https://www.facebook.com:8443'],
    ['an opaque origin', finish, 'null'],
    ['no origin', finish, ''],
    ["another page's popup", finish, undefined, { closed: false, opener: {} }],
    ["another signup's popup, of this page", finish, undefined, { closed: false, opener: 'this window' }],
    ["another signup's popup, which is closed", finish, undefined, { closed: true, opener: null }],
    ['a frame', finish, undefined, { closed: false, opener: null }],
    ['not JSON', 'cb=f1&code=AQx'],
    ['another type', { ...finish, type: 'OTHER' }],
    ['another event', { ...finish, event: 'HELLO' }],
    ['too much', JSON.stringify({ ...finish, more: 'x'.repeat(20_000) })],
    ['nothing', null],
  ]
  for (const [name, data, origin, source] of cases) {
    await t.test(name, async () => {
      newWorld()
      const signup = await opened()
      if (source && (source as { opener: unknown }).opener === 'this window') Object.assign(source, { opener: world.window })
      world.message(data, origin, source)
      await settle()
      as(signup, 'open')
      assert.deepEqual(world.reports(), [{ event: 'OPENED' }])
      world.message(finish)
      await settle()
      assert.equal(world.reports().length, 2, "and the popup's own is heard")
    })
  }
})

test('messages are heard from the popup that closed already, and from one that can not be read', async () => {
  for (const source of [{ closed: true, opener: null }, null, new Proxy({}, { get: () => assert.fail('a cross-origin error') })]) {
    newWorld()
    await opened()
    world.login.popup!.closed = true
    world.message(finish, undefined, source)
    await settle()
    assert.equal(world.reports().length, 2)
  }
})

test('nothing is heard before the popup opens, nor of what has ended', async () => {
  const signup = await ready()
  world.window.dispatchEvent(Object.assign(new Event('message'), { data: finish, origin: 'https://www.facebook.com', source: null }))
  await settle()
  assert.deepEqual(world.reports(), [])
  signup.open()
  world.login.answer(give)
  await settle()
  as(signup, 'connected')
  world.message(finish)
  await settle()
  assert.deepEqual(world.reports(), [{ event: 'OPENED' }])
})

test('a customer who leaves: the step is told, nothing opens by itself, and they may go on', async () => {
  const signup = await opened()
  world.message({ type: 'WA_EMBEDDED_SIGNUP', event: 'CANCEL', version: 3, data: { current_step: 'PHONE_NUMBER_VERIFICATION' } })
  world.login.answer(closed)
  await settle()
  const state = as(signup, 'cancelled')
  assert.equal(state.step, 'PHONE_NUMBER_VERIFICATION')
  assert.match(state.message, /confirmação do número/)
  assert.deepEqual(world.reports(), [{ event: 'OPENED' }, { event: 'CANCELLED', step: 'PHONE_NUMBER_VERIFICATION' }])
  assert.deepEqual(world.exits, [[null, { onboardingId: 'onboarding-1', step: 'PHONE_NUMBER_VERIFICATION' }]])
  await pass(60_000)
  assert.equal(world.logins.length, 1)
  assert.equal(state.ready || signup.getState().ready, true)

  signup.open()
  world.login.answer(give)
  await settle()
  as(signup, 'connected')
  assert.equal(world.callsOf('claim-waba')[0]?.body?.['onboardingId'], 'onboarding-1')
  assert.equal(world.sessions.length, 1)
})

test('a run that no code came from is opened again; one that spent a code, or grew old, is followed by another', async () => {
  const signup = await opened()
  for (const end of [() => world.login.answer(closed), () => world.message({ type: 'WA_EMBEDDED_SIGNUP', event: 'ERROR', data: { error_code: '3441041' } })]) {
    end()
    await settle()
    signup.open()
    as(signup, 'open')
  }
  assert.equal(world.sessions.length, 1)

  world.login.answer(closed)
  await settle()
  await pass(30 * 60_000)
  assert.equal(world.sessions.length, 2)

  signup.open()
  world.on('claim-waba', () => refusal(400, 'CODE_EXPIRED', 'O código expirou.'))
  world.login.answer(give)
  await settle()
  as(signup, 'failed')
  assert.equal(world.sessions.length, 3)
})

test('a window that is closed without a word is no failure, and a code that comes later counts', async () => {
  const signup = await opened()
  world.login.answer(closed)
  await settle()
  as(signup, 'cancelled')
  assert.deepEqual(world.reports(), [{ event: 'OPENED' }, { event: 'CANCELLED' }])
  world.logins[0]?.answer(give)
  await settle()
  as(signup, 'connected')
  assert.equal(world.callsOf('claim-waba')[0]?.body?.['onboardingId'], 'onboarding-1')
})

test('a window that is closed counts as such even when the SDK never says so', async () => {
  const signup = await opened()
  assert.ok(world.login.popup)
  world.login.popup.closed = true
  await pass(500)
  as(signup, 'open')
  await pass(3_000)
  as(signup, 'cancelled')
})

test('a signup that finishes without a code fails, and the next one leaves the page for the dialog', async () => {
  for (const order of ['info first', 'info last']) {
    newWorld()
    const signup = await opened()
    if (order === 'info first') world.message(finish)
    world.login.answer(closed)
    await settle()
    if (order === 'info last') world.message(finish)
    await settle()
    assert.equal(as(signup, 'failed').error.reason, 'CODE_MISSING')
    signup.open()
    assert.equal(world.logins.length, 1)
    assert.match(world.assigned[0] ?? '', /dialog\/oauth/)
  }
})

test("Meta's errors of the signup become sentences, with what support needs", async () => {
  const signup = await opened({ lang: 'en' })
  const data = { error_code: '3441041', error_message: 'Number <b>x</b>', session_id: 'f34b51dab5e0498', timestamp: '1746041036' }
  world.message(JSON.stringify({ type: 'WA_EMBEDDED_SIGNUP', event: 'CANCEL', data }))
  await settle()
  const { error } = as(signup, 'failed')
  assert.deepEqual(error, {
    reason: 'META_SIGNUP_ERROR',
    message: 'This number belongs to another business on Facebook. Choose the business that owns it.',
    canRetry: true,
    errorCode: '3441041',
    metaMessage: 'Number <b>x</b>',
    sessionId: 'f34b51dab5e0498',
  })
  assert.deepEqual(world.reports()[1], {
    event: 'FAILED',
    errorCode: '3441041',
    errorMessage: 'Number <b>x</b>',
    sessionId: 'f34b51dab5e0498',
  })
  assert.deepEqual(world.exits, [[error, { onboardingId: 'onboarding-1' }]])
})

test('a report that fails is in nobody’s way', async () => {
  world.on(':report', () => {
    throw new Error('offline')
  })
  const signup = await opened()
  world.login.answer(give)
  await settle()
  as(signup, 'connected')
})

test('a blocked popup: the whole page leaves, or it is said', async () => {
  world.blocks = true
  const signup = await ready()
  signup.open()
  await settle()
  as(signup, 'open')
  assert.deepEqual(world.reports(), [{ event: 'BLOCKED' }, { event: 'OPENED' }])
  assert.equal(world.assigned.length, 1)

  newWorld()
  world.blocks = true
  const popupOnly = await ready({ flow: 'popup' })
  popupOnly.open()
  await settle()
  assert.equal(as(popupOnly, 'failed').error.reason, 'POPUP_BLOCKED')
  world.login.answer(closed)
  assert.equal(world.assigned.length, 0)
  world.blocks = false
  popupOnly.open()
  as(popupOnly, 'open')
})
