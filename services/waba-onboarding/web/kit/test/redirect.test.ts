import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { createSignup } from '../src/index'
import { losesPopups } from '../src/redirect'
import { api, onboarding, settle, signupState, token, World } from './world'

const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1'

beforeEach(() => {
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.parse('2026-11-24T12:00:00Z') })
})

test('a phone leaves for the dialog, without the SDK', async () => {
  const world = new World(phone)
  const signup = createSignup(world.options())
  await settle()
  assert.equal(world.scripts, 0)
  signup.open()
  await settle()
  const url = new URL(world.assigned[0] ?? '')
  assert.equal(url.origin + url.pathname, 'https://www.facebook.com/v25.0/dialog/oauth')
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    client_id: 'app',
    config_id: 'config',
    redirect_uri: `${api}/onboarding/callback`,
    response_type: 'code',
    override_default_response_type: 'true',
    state: signupState,
    extras: '{"version":"v4","setup":{}}',
  })
  assert.deepEqual(world.reports(), [{ event: 'OPENED' }])
  assert.equal(world.stored.size, 0, 'nothing is stored')
})

/** The address that our callback leads back to. */
const back = `#whatrack-connect=${token}&onboarding=onboarding-7`

test('back from the dialog: the token leaves the address at once, and the claim is followed', async () => {
  const world = new World(phone)
  world.location.hash = back
  let waits = 0
  world.on(':wait', () => onboarding(++waits === 1 ? 'CLAIMING' : 'CONNECTED'))
  const signup = createSignup(world.options({ apiUrl: api }))
  assert.deepEqual(world.replaced, ['/page?x=1'])
  assert.equal(signup.getState().status, 'exchanging')
  await settle()
  assert.equal(signup.getState().status, 'connected')
  assert.equal(world.calls[0]?.url, `${api}/api/v1/whatsapp/onboardings/onboarding-7:wait?seenState=CONNECTED&timeout=20s`)
  assert.equal(world.calls[0]?.headers['Authorization'], `Bearer ${token}`)
  assert.equal(world.sessions.length, 0, 'nothing new is begun')
  assert.equal((world.connected[0] as { wabaId: string }).wabaId, '1')
  mock.timers.tick(1)
  assert.deepEqual(world.replaced, ['/page?x=1', '/page?x=1'], 'and once more, for a router that listens by then')
})

test('back from a dialog that the customer left', async () => {
  const world = new World(phone)
  world.location.hash = back
  world.on(':wait', () => onboarding('CANCELLED', { signup: { step: 'PERMISSIONS' } }))
  const signup = createSignup(world.options({ apiUrl: api }))
  await settle()
  const state = signup.getState()
  assert.equal(state.status === 'cancelled' && state.step, 'PERMISSIONS')
  assert.equal(state.ready, true)
})

test("back from a dialog that ended with Meta's error: it is told, and the next run is at hand", async () => {
  const world = new World(phone)
  world.location.hash = back
  world.on(':wait', () => onboarding('STARTED', { signup: { event: 'FAILED', errorCode: '2859009', errorMessage: 'Turn it on.', sessionId: '77' } }))
  const signup = createSignup(world.options({ apiUrl: api }))
  await settle()
  const state = signup.getState()
  assert.ok(state.status === 'failed' && state.ready)
  const { reason, errorCode, metaMessage, sessionId } = state.error
  assert.deepEqual([reason, errorCode, metaMessage, sessionId], ['META_SIGNUP_ERROR', '2859009', 'Turn it on.', '77'])
})

test('back where nobody says the address of the API: a session does, never the address of the page', async () => {
  const world = new World(phone)
  world.location.hash = `${back}&apiUrl=https://evil.example`
  const signup = createSignup(world.options())
  await settle()
  assert.equal(signup.getState().status, 'connected')
  assert.equal(world.sessions.length, 1)
  assert.ok(world.calls.every((call) => call.url.startsWith(`${api}/api/v1/whatsapp/onboardings/onboarding-7:wait`)))
})

test('a token without its onboarding leaves the address all the same', async () => {
  const world = new World(phone)
  world.location.hash = `#whatrack-connect=${token}`
  const signup = createSignup(world.options())
  await settle()
  assert.equal(signup.getState().status, 'ready')
  assert.equal(world.location.hash, '')
})

test('back where no session is to be had, as in a browser where nobody is signed in', async () => {
  const world = new World(phone)
  world.location.hash = back
  world.sessionFails = 1
  const signup = createSignup(world.options())
  await settle()
  const state = signup.getState()
  assert.deepEqual(state.status === 'failed' && [state.error.reason, state.error.canRetry], ['OUT_OF_SIGHT', false])
  assert.equal(world.location.hash, '')
})

test('a run that began elsewhere is followed, down to the choice', async () => {
  const world = new World()
  const choices = [{ wabaId: '1', name: 'A', displayPhoneNumbers: [] }]
  world.on(':wait', () => onboarding('CHOOSING_WABA', { choices }))
  const signup = createSignup(world.options({ apiUrl: api, resume: { onboardingId: 'onboarding-7', clientToken: token } }))
  await settle()
  assert.equal(signup.getState().status, 'choose')
  signup.choose('1')
  await settle()
  assert.equal(signup.getState().status, 'connected')
  assert.ok(world.callsOf('onboarding-7:selectWaba').length === 1 && world.sessions.length === 0)
})

test('back by the browser’s button, into the page as it was', async () => {
  const world = new World(phone)
  const signup = createSignup(world.options())
  await settle()
  signup.open()
  world.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  await settle()
  assert.equal(signup.getState().status, 'cancelled')
  assert.equal(signup.getState().ready, true)
})

test('the full page without an address to come back to is a mistake of the set-up', async () => {
  const world = new World(phone)
  world.session = { redirectUri: '' }
  const signup = createSignup(world.options({ flow: 'redirect' }))
  await settle()
  const state = signup.getState()
  assert.deepEqual(state.status === 'failed' && [state.error.reason, state.error.canRetry], ['REDIRECT_UNAVAILABLE', false])
})

test('which browsers lose popups', () => {
  const lose = [
    phone,
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/153 Mobile Safari/537.36',
    'Mozilla/5.0 (iPad; CPU OS 18_0) AppleWebKit [FBAN/FBIOS;FBAV/480.0]',
    'Mozilla/5.0 (Linux; Android 15; SM-X910; wv) Chrome/153 Instagram 350.0',
  ]
  const keep = ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/153', 'Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Safari/604.1']
  assert.deepEqual([lose.map(losesPopups), keep.map(losesPopups)], [lose.map(() => true), keep.map(() => false)])
})
