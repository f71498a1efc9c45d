import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSignup } from '../src/index'
import { Signup } from '../src/signup'
import { as, give, newWorld, opened, pass, ready, world } from './signup'
import { api, code, finish, held, onboarding, settle, signupState, token } from './world'

test('from loading to connected', async () => {
  const claim = held<unknown>()
  const wait = held<unknown>()
  world.on('claim-waba', () => claim.promise)
  world.on(':wait', () => wait.promise)
  const signup = createSignup(world.options())
  const seen = [signup.getState()]
  signup.subscribe(() => seen.push(signup.getState()))
  await settle()
  assert.deepEqual(world.inits, [{ appId: 'app', version: 'v25.0', autoLogAppEvents: false, xfbml: false }])

  signup.open()
  assert.equal(world.logins.length, 1, 'FB.login runs inside the click')
  assert.deepEqual(world.login.options, {
    config_id: 'config',
    response_type: 'code',
    override_default_response_type: true,
    extras: { version: 'v4', setup: {} },
  })
  world.message(JSON.stringify(finish))
  world.login.answer(give)
  await settle()
  claim.release({ status: 202, ...onboarding('CLAIMING') })
  await settle()
  as(signup, 'claiming')
  wait.release(onboarding('CONNECTED'))
  await settle()

  assert.equal(as(signup, 'connected').connection?.connectionId, 'c1')
  assert.equal(world.connected.length, 1)
  assert.deepEqual([...new Set(seen.map((state) => state.status))], ['loading', 'ready', 'open', 'exchanging', 'claiming', 'connected'])
  const claimed = world.callsOf('claim-waba')
  assert.equal(claimed.length, 1)
  assert.equal(claimed[0]?.url, `${api}/api/v1/whatsapp/claim-waba`)
  assert.equal(claimed[0]?.headers['Authorization'], `Bearer ${token}`)
  assert.equal(claimed[0]?.headers['Accept-Language'], 'pt-BR')
  assert.deepEqual(claimed[0]?.body, { code, state: signupState, onboardingId: 'onboarding-1' })
  assert.equal(world.callsOf(':wait')[0]?.url, `${api}/api/v1/whatsapp/onboardings/onboarding-1:wait?seenState=CLAIMING&timeout=20s`)
  assert.deepEqual(world.reports(), [{ event: 'OPENED' }, { event: 'FINISHED', wabaId: '524', phoneNumberId: '106' }])
})

test('the code counts first, last, or with no session info at all', async () => {
  for (const order of [['code', 'info'], ['info', 'code'], ['code']]) {
    newWorld()
    const signup = await opened()
    for (const step of order) {
      if (step === 'code') world.login.answer(give)
      else world.message(finish)
    }
    await settle()
    as(signup, 'connected')
    assert.equal(world.callsOf('claim-waba').length, 1, order.join())
  }
})

test('a code is claimed once, however often it is clicked and told', async () => {
  const signup = await ready()
  signup.open()
  signup.open()
  assert.equal(world.logins.length, 1)
  world.login.answer(give)
  world.login.answer(give)
  signup.open()
  await settle()
  assert.equal(world.callsOf('claim-waba').length, 1)
  assert.equal(world.sessions.length, 1)
})

test('mounted twice, as by StrictMode, it begins once', async () => {
  const signup = new Signup(world.options())
  const unmount = signup.mount()
  unmount()
  signup.mount()
  await pass(10)
  as(signup, 'ready')
  assert.equal(world.sessions.length, 1)
  assert.equal(world.scripts, 1)
})

test('a popup that outlives its page still claims', async () => {
  const signup = await opened()
  signup.destroy()
  world.login.answer(give)
  await settle()
  assert.equal(world.callsOf('claim-waba').length, 1)
  assert.equal(world.connected.length, 0)
})

test('reset: back to ready after an end, but a claim goes on', async () => {
  const claim = held<unknown>()
  world.on('claim-waba', () => claim.promise)
  const signup = await opened()
  world.login.answer(give)
  signup.reset()
  as(signup, 'exchanging')
  claim.release(onboarding('CONNECTED'))
  await settle()
  as(signup, 'connected')
  signup.reset()
  await settle()
  as(signup, 'ready')
})

test('texts: the page’s language, or the one that is asked for', async () => {
  assert.equal((await opened()).getState().message, 'Continue na janela do Facebook.')
  newWorld()
  assert.equal((await opened({ lang: 'en' })).getState().message, 'Go on in the Facebook window.')
})

test('the address of the API: as told, of the redirect URI, or of the page', async () => {
  for (const [options, session, want] of [
    [{ apiUrl: 'https://told.example/' }, {}, 'https://told.example/api/'],
    [{}, {}, `${api}/api/`],
    [{}, { redirectUri: '' }, 'https://shop.example/api/'],
  ] as const) {
    newWorld()
    world.session = session
    await opened(options)
    world.login.answer(give)
    await settle()
    assert.ok(world.callsOf('claim-waba')[0]?.url.startsWith(want), want)
  }
})

test('coexistence is asked for when the popup opens', async () => {
  let app = false
  const signup = await ready({ coexistence: () => app })
  app = true
  signup.open()
  assert.deepEqual(world.login.options['extras'], { version: 'v4', setup: {}, featureType: 'whatsapp_business_app_onboarding' })
})
