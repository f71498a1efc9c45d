import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as, give, newWorld, opened, pass, world } from './signup'
import { onboarding, refusal, settle } from './world'

test('several accounts: the customer chooses', async () => {
  const choices = [
    { wabaId: '1', name: 'A', displayPhoneNumbers: ['+55 11 91234-5678'] },
    { wabaId: '2', name: 'B', displayPhoneNumbers: [] },
  ]
  world.on('claim-waba', () => onboarding('CHOOSING_WABA', { choices }))
  let lost = 1
  world.on(':selectWaba', () => {
    if (lost-- > 0) throw new Error('offline')
    return onboarding('CLAIMING')
  })
  const signup = await opened()
  world.login.answer(give)
  await settle()
  assert.deepEqual(as(signup, 'choose').choices, choices)
  assert.equal(signup.getState().busy, false)
  await pass(30 * 60_000)
  as(signup, 'choose')
  signup.choose('2')
  signup.choose('1')
  await settle()
  assert.match(as(signup, 'claiming').message, /Tentando de novo/)
  await pass(1_000)
  as(signup, 'connected')
  assert.deepEqual(world.callsOf(':selectWaba').map((call) => call.body), [{ wabaId: '2' }, { wabaId: '2' }])
})

test('what the network loses is tried again: the same code, and the waiting', async () => {
  let claims = 0
  world.on('claim-waba', () => {
    if (++claims < 3) throw new Error('offline')
    return onboarding('CLAIMING')
  })
  let waits = 0
  world.on(':wait', () => (++waits < 9 ? refusal(503, 'STORAGE_UNAVAILABLE', 'x') : onboarding('CONNECTED')))
  const signup = await opened()
  world.login.answer(give)
  await settle()
  assert.match(as(signup, 'exchanging').message, /Tentando de novo/)
  for (let i = 0; i < 12; i++) await pass(15_000)
  as(signup, 'connected')
  assert.equal(new Set(world.callsOf('claim-waba').map((call) => JSON.stringify(call.body))).size, 1)
  assert.equal(waits, 9)
})

test('a server that stays away: the failure says so, and open() posts the same code again', async () => {
  let away = true
  world.on('claim-waba', () => {
    if (away) throw new Error('offline')
    return onboarding('CONNECTED')
  })
  const signup = await opened()
  world.login.answer(give)
  for (let i = 0; i < 10; i++) await pass(15_000)
  assert.equal(as(signup, 'failed').error.reason, 'NETWORK')
  away = false
  signup.open()
  await settle()
  as(signup, 'connected')
  assert.equal(world.logins.length, 1)
})

test('a fault of the server is no end: the code is posted again', async () => {
  let calls = 0
  world.on('claim-waba', () => (++calls === 1 ? refusal(500, 'INTERNAL', 'x') : onboarding('CONNECTED')))
  const signup = await opened()
  world.login.answer(give)
  await settle()
  await pass(1_000)
  as(signup, 'connected')
})

for (const [what, status, reason] of [
  ['a call that the server does not have', 501, 'UNKNOWN'],
  ['a claim whose code Meta throttled', 429, 'META_RATE_LIMITED'],
] as const) {
  test(`${what} is not made again`, async () => {
    world.on('claim-waba', () => refusal(status, reason, 'x'))
    const signup = await opened()
    world.login.answer(give)
    await settle()
    as(signup, 'failed')
    assert.equal(world.callsOf('claim-waba').length, 1)
  })
}

test('Retry-After is heeded', async () => {
  let calls = 0
  world.on('claim-waba', () =>
    ++calls === 1 ? { ...refusal(429, 'RATE_LIMITED', 'x'), headers: { 'Retry-After': '9' } } : onboarding('CONNECTED'),
  )
  const signup = await opened()
  world.login.answer(give)
  await settle()
  await pass(8_000)
  assert.equal(calls, 1)
  await pass(1_000)
  as(signup, 'connected')
})

test('a refused code: the server’s words, and a new session for the next click', async () => {
  world.on('claim-waba', (call) =>
    call.body?.['onboardingId'] === 'onboarding-1' ? refusal(400, 'CODE_EXPIRED', 'O código expirou.') : onboarding('CONNECTED'),
  )
  const signup = await opened()
  world.login.answer(give)
  await settle()
  const { error, ready: again } = as(signup, 'failed')
  assert.deepEqual(error, { reason: 'CODE_EXPIRED', message: 'O código expirou.', canRetry: true })
  assert.equal(again, true)
  signup.open()
  assert.equal(world.logins.length, 2)
  world.login.answer(give)
  await settle()
  as(signup, 'connected')
})

test('a claim that fails after its exchange is claimed again without another popup', async () => {
  let claims = 0
  const failed = { reason: 'WEBHOOK_SUBSCRIPTION_FAILED', message: 'Não assinou.', nextAction: 'Tente de novo.' }
  world.on('claim-waba', () =>
    ++claims === 1 ? onboarding('FAILED', { ...failed, steps: [{ name: 'exchange', state: 'DONE' }] }) : onboarding('CONNECTED'),
  )
  const signup = await opened()
  world.login.answer(give)
  await settle()
  assert.equal(as(signup, 'failed').message, 'Não assinou. Tente de novo.')
  signup.open()
  await settle()
  as(signup, 'connected')
  assert.equal(world.logins.length, 1)
  assert.equal(claims, 2)
})

test('what the customer must share anew needs the popup again; what only the operator can mend, nobody tries', async () => {
  for (const [reason, canRetry] of [['WABA_NOT_SHARED', true], ['APP_CREDENTIALS_REJECTED', false]] as const) {
    newWorld()
    world.on('claim-waba', () => onboarding('FAILED', { reason, steps: [{ name: 'exchange', state: 'DONE' }] }))
    const signup = await opened()
    world.login.answer(give)
    await settle()
    assert.equal(as(signup, 'failed').error.canRetry, canRetry)
    signup.open()
    assert.equal(world.logins.length, canRetry ? 2 : 1, reason)
  }
})
