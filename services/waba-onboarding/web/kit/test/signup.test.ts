import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { createSignup } from '../src/index'
import { Signup } from '../src/signup'
import type { Options, State } from '../src/types'
import { api, code, finish, held, onboarding, refusal, settle, signupState, token, World } from './world'

let world: World
const give = { authResponse: { code } }
const closed = { authResponse: null }

beforeEach(() => {
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.parse('2026-11-24T12:00:00Z') })
  world = new World()
})

async function ready(options: Partial<Options> = {}): Promise<Signup> {
  const signup = createSignup(world.options(options))
  await settle()
  assert.equal(signup.getState().status, 'ready')
  return signup
}

async function opened(options: Partial<Options> = {}): Promise<Signup> {
  const signup = await ready(options)
  signup.open()
  assert.equal(signup.getState().status, 'open')
  return signup
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms)
  await settle()
}

function as<S extends State['status']>(signup: Signup, status: S): State & { status: S } {
  const state = signup.getState()
  assert.equal(state.status, status)
  return state as State & { status: S }
}

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
    world = new World()
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

test('messages of others are ignored', async (t) => {
  const own = { closed: false, opener: undefined as unknown }
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
    ['a frame', finish, undefined, { closed: false, opener: null }],
    ['not JSON', 'cb=f1&code=AQx'],
    ['another type', { ...finish, type: 'OTHER' }],
    ['another event', { ...finish, event: 'HELLO' }],
    ['too much', JSON.stringify({ ...finish, more: 'x'.repeat(20_000) })],
    ['nothing', null],
  ]
  for (const [name, data, origin, source] of cases) {
    await t.test(name, async () => {
      world = new World()
      const signup = await opened()
      own.opener = world.window
      world.message(data, origin, source)
      await settle()
      as(signup, 'open')
      assert.deepEqual(world.reports(), [{ event: 'OPENED' }])
      world.message(finish, undefined, own)
      await settle()
      assert.equal(world.reports().length, 2, "and the popup's own is heard")
    })
  }
})

test('messages are heard from the popup that closed already, and from one that can not be read', async () => {
  for (const source of [{ closed: true, opener: null }, null, new Proxy({}, { get: () => assert.fail('a cross-origin error') })]) {
    world = new World()
    await opened()
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
    world = new World()
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
    world = new World()
    world.on('claim-waba', () => onboarding('FAILED', { reason, steps: [{ name: 'exchange', state: 'DONE' }] }))
    const signup = await opened()
    world.login.answer(give)
    await settle()
    assert.equal(as(signup, 'failed').error.canRetry, canRetry)
    signup.open()
    assert.equal(world.logins.length, canRetry ? 2 : 1, reason)
  }
})

test('a blocked popup: the whole page leaves, or it is said', async () => {
  world.blocks = true
  const signup = await ready()
  signup.open()
  await settle()
  as(signup, 'open')
  assert.deepEqual(world.reports(), [{ event: 'BLOCKED' }, { event: 'OPENED' }])
  assert.equal(world.assigned.length, 1)

  world = new World()
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
  world = new World()
  assert.equal((await opened({ lang: 'en' })).getState().message, 'Go on in the Facebook window.')
})

test('the address of the API: as told, of the redirect URI, or of the page', async () => {
  for (const [options, session, want] of [
    [{ apiUrl: 'https://told.example/' }, {}, 'https://told.example/api/'],
    [{}, {}, `${api}/api/`],
    [{}, { redirectUri: '' }, 'https://shop.example/api/'],
  ] as const) {
    world = new World()
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
