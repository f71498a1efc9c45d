// A browser window, Meta's SDK and our server, as far as the core meets them.
import type { Onboarding, Options, Session, SignupEvent } from '../src/types'

export const popupOrigin = 'https://www.facebook.com'
export const api = 'https://connect.example'
export const token = 'wct_canary-token'
export const code = 'AQcanary-code'
export const signupState = 'canary-state'

type Answer = (response?: { authResponse?: { code?: string } | null }) => void

export interface Call {
  method: string
  url: string
  headers: Record<string, string>
  body: Record<string, unknown> | undefined
}

type Handler = (call: Call) => unknown

/** One popup of the fake SDK. */
export class FakePopup {
  closed = false
  opener: unknown = undefined
}

export class World {
  readonly window = Object.assign(new EventTarget(), { open: (): unknown => this.#open() } as Record<string, unknown>)
  readonly document = Object.assign(new EventTarget(), {
    hidden: false,
    documentElement: { lang: 'pt-BR' },
    createElement: () => ({ remove: () => {} }),
    head: { append: (script: Record<string, unknown>) => this.#load(script) },
  })
  readonly location = {
    href: 'https://shop.example/page?x=1',
    origin: 'https://shop.example',
    pathname: '/page',
    search: '?x=1',
    hash: '',
    assign: (url: string) => void this.assigned.push(url),
  }
  readonly assigned: string[] = []
  readonly replaced: string[] = []
  readonly stored = new Map<string, string>()

  /** Each FB.login: its options, and how it answers. */
  readonly logins: { options: Record<string, unknown>; answer: Answer; popup: FakePopup | null }[] = []
  readonly inits: unknown[] = []
  blocks = false
  sdk: 'loads' | 'fails' = 'loads'
  scripts = 0

  readonly calls: Call[] = []
  readonly sessions: Session[] = []
  readonly events: SignupEvent[] = []
  readonly connected: unknown[] = []
  readonly exits: unknown[][] = []
  session: Partial<Session> = {}
  sessionFails = 0
  #handlers: Record<string, Handler> = {}
  #last: FakePopup | null = null

  constructor(userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/153') {
    const globals = {
      window: this.window,
      document: this.document,
      location: this.location,
      history: { state: { kept: true }, replaceState: (_: unknown, __: string, url: string) => this.#replace(url) },
      sessionStorage: {
        getItem: (key: string) => this.stored.get(key) ?? null,
        setItem: (key: string, value: string) => void this.stored.set(key, value),
        removeItem: (key: string) => void this.stored.delete(key),
      },
      navigator: { userAgent, language: 'en-US' },
      isSecureContext: true,
      fetch: (url: string, init: RequestInit) => this.#fetch(url, init),
    }
    for (const [name, value] of Object.entries(globals)) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
  }

  options(more: Partial<Options> = {}): Options {
    return {
      session: () => this.#session(),
      onConnected: (connection) => void this.connected.push(connection),
      onExit: (...args) => void this.exits.push(args),
      onEvent: (event) => void this.events.push(event),
      ...more,
    }
  }

  /** What the server does on a call; the last part of its path names it. What it throws is a lost connection. */
  on(path: 'claim-waba' | ':wait' | ':report' | ':selectWaba', handler: Handler): void {
    this.#handlers[path] = handler
  }

  /** The calls of a path, in order. */
  callsOf(path: string): Call[] {
    return this.calls.filter((call) => call.url.includes(path))
  }

  reports(): unknown[] {
    return this.callsOf(':report').map((call) => call.body)
  }

  get login() {
    const login = this.logins.at(-1)
    if (!login) throw new Error('FB.login was not called')
    return login
  }

  message(data: unknown, origin = popupOrigin, source: unknown = this.login.popup): void {
    const event = Object.assign(new Event('message'), { data, origin, source })
    this.window.dispatchEvent(event)
  }

  #open(): FakePopup | null {
    this.#last = this.blocks ? null : new FakePopup()
    if (this.#last) this.#last.opener = this.window
    return this.#last
  }

  #load(script: Record<string, unknown>): void {
    this.scripts++
    setImmediate(() => {
      if (this.sdk === 'fails') return (script['onerror'] as () => void)()
      this.window['FB'] = {
        init: (options: unknown) => void this.inits.push(options),
        login: (answer: Answer, options: Record<string, unknown>) => {
          ;(this.window['open'] as () => void)()
          this.logins.push({ options, answer, popup: this.#last })
        },
      }
      ;(this.window['fbAsyncInit'] as () => void)()
    })
  }

  #replace(url: string): void {
    this.replaced.push(url)
    this.location.hash = ''
  }

  async #session(): Promise<Session> {
    if (this.sessionFails-- > 0) throw new Error('the back end is away')
    const session: Session = {
      onboardingId: `onboarding-${this.sessions.length + 1}`,
      appId: 'app',
      configId: 'config',
      graphVersion: 'v25.0',
      sdkUrl: `https://sdk.example/${Math.random()}.js`, // the module keeps what it loaded; each session loads its own
      dialogUrl: 'https://www.facebook.com/v25.0/dialog/oauth',
      messageOrigins: [popupOrigin],
      extras: { version: 'v4', setup: {} },
      state: signupState,
      clientToken: token,
      expireTime: new Date(Date.now() + 30 * 60_000).toISOString(),
      redirectUri: `${api}/onboarding/callback`,
      ...this.session,
    }
    this.sessions.push(session)
    return session
  }

  async #fetch(url: string, init: RequestInit): Promise<unknown> {
    const call: Call = {
      method: init.method ?? 'GET',
      url,
      headers: init.headers as Record<string, string>,
      body: init.body ? (JSON.parse(String(init.body)) as Record<string, unknown>) : undefined,
    }
    this.calls.push(call)
    const path = Object.keys(this.#handlers).find((name) => url.includes(name))
    const answer = (await this.#handlers[path ?? '']?.(call)) ?? onboarding('CONNECTED')
    const { status = 200, headers = {}, ...body } = answer as { status?: number; headers?: Record<string, string> }
    return { ok: status < 300, status, headers: new Headers(headers), json: async () => body }
  }
}

export function onboarding(state: Onboarding['state'], more: Partial<Onboarding> = {}): Onboarding {
  const connection = { connectionId: 'c1', organizationId: 'o', wabaId: '1', name: 'Shop', state: 'CONNECTED', phoneNumbers: [] }
  return {
    onboardingId: 'onboarding-1',
    state,
    reason: '',
    message: '',
    nextAction: '',
    ...(state === 'CONNECTED' && { connection }),
    ...more,
  }
}

/** A refusal as the API writes it. */
export function refusal(status: number, reason: string, message: string): object {
  return {
    status,
    code: 9,
    message: 'English.',
    details: [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'connect.whatrack', metadata: {} },
      { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'pt-BR', message },
    ],
  }
}

/** A promise and what resolves it. */
export function held<T>(): { promise: Promise<T>; release: (value: T) => void } {
  let release!: (value: T) => void
  const promise = new Promise<T>((resolve) => (release = resolve))
  return { promise, release }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resume) => setImmediate(resume))
}

export const finish = { type: 'WA_EMBEDDED_SIGNUP', event: 'FINISH', data: { phone_number_id: '106', waba_id: '524', business_id: '272' } }
