import { Api, ApiError } from './api.js'
import { failure, goodAgain, metaFailure } from './failure.js'
import { cancelledText, language, text } from './messages.js'
import { openPopup } from './popup.js'
import { Preparation } from './preparation.js'
import { dialogAddress, losesPopups, takeReturn } from './redirect.js'
import type { FacebookSDK } from './sdk.js'
import type { Failure, Lang, Onboarding, Options, Report, Return, Session, SignupError, State } from './types.js'

/** One opening of the dialog. */
interface Run {
  api: Api
  session?: Session
  /** What Meta's window said last. */
  info?: Report
  /** The code, from the moment that it is posted: each is posted by one call. */
  code?: string
  /** Stops to listen to the popup. */
  stop?: () => void
}

// A variant of State without what set() fills in.
type Change = State extends infer S ? (S extends State ? Omit<S, 'message' | 'ready' | 'busy' | 'onboardingId'> : never) : never

/** How often a code is posted, over about a minute: the server takes it once, however often it comes. */
const claimTries = 7

/**
 * A signup on a page: what `createSignup` gives, and what the hook and the element stand on. The page's own functions are
 * called in microtasks, from a clean stack: what they throw is the page's.
 */
export class Signup {
  readonly #options: Options
  readonly #scriptOrigin: string | undefined
  readonly #listeners = new Set<() => void>()
  readonly #preparation: Preparation
  #state: State
  #run: Run | undefined
  /** A run whose code is good for another claim, without another dialog. */
  #again: Run | undefined
  /** Codes have not arrived from popups here. */
  #distrustsPopups = false
  #started = false
  #leaving: ReturnType<typeof setTimeout> | undefined

  constructor(options: Options, scriptOrigin?: string) {
    this.#options = options
    this.#scriptOrigin = scriptOrigin
    this.#state = { status: 'loading', message: '', ready: false, busy: false }
    this.#preparation = new Preparation(
      () => options.session(),
      (session) => !this.#redirects(session),
      () => this.#prepared(),
    )
  }

  getState = (): State => this.#state

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Begins to load. Once is enough, and before it nothing happens. */
  start = (): void => {
    if (this.#started) return
    this.#started = true
    window.addEventListener('pageshow', this.#shown)
    const back = takeReturn() ?? this.#options.resume
    if (back) void this.#returned(back)
    else this.reset()
  }

  /** start, and a function that destroys soon unless it is started again: React does so to each effect in StrictMode. */
  mount = (): (() => void) => {
    clearTimeout(this.#leaving)
    this.start()
    return () => {
      this.#leaving = setTimeout(this.destroy)
    }
  }

  /** Stops to listen and to follow. A code that is under way is claimed nevertheless. */
  destroy = (): void => {
    this.#started = false
    window.removeEventListener('pageshow', this.#shown)
    this.#preparation.stop()
    this.#run?.stop?.()
    this.#run = undefined
  }

  /** Opens the dialog. Must be called in a click, or browsers block the popup. Does nothing unless `ready`. */
  open = (): void => {
    if (!this.#state.ready) return
    const again = this.#again
    this.#again = undefined
    if (again) {
      this.#run = again
      void this.#claim(again)
      return
    }
    const session = this.#preparation.take()
    if (!session) return
    this.#run?.stop?.()
    const run: Run = { api: this.#api(session), session }
    this.#run = run
    const { sdk } = this.#preparation
    if (sdk && !this.#redirects(session)) this.#openPopup(run, session, sdk)
    else this.#leave(run, session)
  }

  /** Takes one of the accounts while the state is `choose`. */
  choose = (wabaId: string): void => {
    const run = this.#run
    if (!run || this.#state.status !== 'choose') return
    this.#set({ status: 'claiming' })
    void this.#follow(run, () => run.api.select(wabaId))
  }

  /** Forgets how the last run ended, and prepares the next. A claim that goes on is left to go on. */
  reset = (): void => {
    if (this.#state.busy && this.#state.status !== 'open') return
    this.#again = undefined
    this.#set({ status: 'loading' })
    this.#preparation.begin()
  }

  // The dialog.

  #openPopup(run: Run, session: Session, sdk: FacebookSDK): void {
    this.#set({ status: 'open' })
    const { blocked, stop } = openPopup(sdk, session, this.#extras(session), {
      info: (info) => this.#heard(run, info),
      answer: (code) => this.#answered(run, code),
    })
    run.stop = stop
    this.#report(run, { event: blocked ? 'BLOCKED' : 'OPENED' })
    if (!blocked) return
    stop()
    if (this.#mayLeave(session)) this.#leave(run, session)
    else this.#fail(run, failure(this.#lang(), 'POPUP_BLOCKED'))
  }

  /** Leaves for the full-page dialog, which comes back to where the session was told to. */
  #leave(run: Run, session: Session): void {
    this.#set({ status: 'open' }, 'redirecting')
    this.#report(run, { event: 'OPENED' })
    location.assign(dialogAddress(session, this.#extras(session)))
  }

  /**
   * The full-page flow came back, maybe into another tab or browser: nothing is known but the address. The server has the
   * code, and goes on with it. Where it is, only a session says if nobody else does; the address must not.
   */
  async #returned(back: Return): Promise<void> {
    this.#set({ status: 'exchanging' })
    try {
      const session = this.#knownUrl() ? undefined : await this.#options.session()
      if (!this.#started || this.#run) return
      const run: Run = { api: new Api(this.#apiUrl(session), back.onboardingId, back.clientToken, this.#lang()) }
      this.#run = run
      void this.#follow(run, () => run.api.wait('CONNECTED')) // answers at once
    } catch {
      this.#set({ status: 'failed', error: { ...failure(this.#lang(), 'OUT_OF_SIGHT'), canRetry: false } })
    }
  }

  /** Back from the full-page dialog by the browser's button, into a page that was kept as it was. */
  #shown = (event: PageTransitionEvent): void => {
    if (event.persisted && this.#state.status === 'open') this.#cancelled(undefined)
  }

  #heard(run: Run, info: Report): void {
    run.info = info
    this.#report(run, info)
    if (run.code || run !== this.#run) return
    if (info.event === 'CANCELLED') this.#cancelled(info.step)
    else if (info.event === 'FAILED') this.#fail(run, metaFailure(this.#lang(), info))
    else if (this.#state.status === 'cancelled') this.#codeMissing(run)
  }

  /** FB.login's answer: a code, or a window that was closed. A code counts whenever it comes, and whatever came before. */
  #answered(run: Run, code: string | undefined): void {
    if (run.code) return
    if (code) {
      run.code = code
      if (this.#started && !this.#run?.code) this.#run = run
      void this.#claim(run)
    } else if (run === this.#run && this.#state.status === 'open') {
      if (run.info?.event === 'FINISHED') return this.#codeMissing(run)
      this.#report(run, { event: 'CANCELLED' })
      this.#cancelled(undefined)
    }
  }

  #cancelled(step: string | undefined): void {
    const changed = this.#state.status !== 'cancelled'
    this.#set({ status: 'cancelled', ...(step && { step }) })
    if (!changed) return
    this.#exit(null, step)
    this.#prepareAgain()
  }

  #codeMissing(run: Run): void {
    this.#distrustsPopups = true
    this.#fail(run, failure(this.#lang(), 'CODE_MISSING'))
  }

  // The claim.

  #claim(run: Run): Promise<void> {
    if (run === this.#run) this.#set({ status: 'exchanging' })
    return this.#follow(run, () => run.api.claim(run.code ?? '', run.session?.state ?? ''), claimTries)
  }

  /** Makes a call, and waits until the onboarding is final or wants a choice. */
  async #follow(run: Run, call: () => Promise<Onboarding>, tries = Infinity): Promise<void> {
    try {
      let onboarding = await this.#patiently(run, call, tries)
      while (this.#showed(run, onboarding)) {
        const seen = onboarding.state
        onboarding = await this.#patiently(run, () => run.api.wait(seen), Infinity)
      }
    } catch (error) {
      const { reason, message } = error instanceof ApiError ? error : { reason: 'UNKNOWN', message: '' }
      if (reason === 'NETWORK' && run.code) this.#again = run
      this.#fail(run, failure(this.#lang(), reason, message))
    }
  }

  /** Calls again after what may pass, more and more slowly. */
  async #patiently(run: Run, call: () => Promise<Onboarding>, tries: number): Promise<Onboarding> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        // Who has left needs no news, but a code must reach the server.
        if (!(error instanceof ApiError && error.transient) || attempt >= tries) throw error
        if (run !== this.#run && tries === Infinity) throw error
        if (run === this.#run && this.#state.busy) this.#set(this.#state as Change, 'retrying')
        await new Promise((resume) => setTimeout(resume, Math.max(Math.min(500 * 2 ** attempt, 15_000), error.retryAfterMs)))
      }
    }
  }

  /** Shows an onboarding, and tells whether there is more to come. */
  #showed(run: Run, onboarding: Onboarding): boolean {
    if (run !== this.#run) return false
    switch (onboarding.state) {
      case 'STARTED': // the full page came back with Meta's error, not with a code
        run.info = onboarding.signup as Report
        this.#fail(run, metaFailure(this.#lang(), run.info ?? {}))
        return false
      case 'EXCHANGING':
        this.#set({ status: 'exchanging' })
        return true
      case 'CLAIMING':
        this.#set({ status: 'claiming' })
        return true
      case 'CHOOSING_WABA':
        this.#set({ status: 'choose', choices: onboarding.choices ?? [] })
        return false
      case 'CONNECTED':
        this.#connected(run, onboarding)
        return false
      case 'CANCELLED':
        this.#cancelled(onboarding.signup?.step)
        return false
      default:
        this.#refused(run, onboarding)
        return false
    }
  }

  #connected(run: Run, onboarding: Onboarding): void {
    run.stop?.()
    const connection = onboarding.connection ?? null
    this.#set({ status: 'connected', connection })
    queueMicrotask(() => this.#options.onConnected?.(connection, run.api.onboardingId))
  }

  /** The onboarding FAILED or EXPIRED. Once its code was spent well, it is claimed again without another dialog. */
  #refused(run: Run, onboarding: Onboarding): void {
    const reason = onboarding.reason || (onboarding.state === 'EXPIRED' ? 'ONBOARDING_EXPIRED' : 'UNKNOWN')
    const exchanged = onboarding.steps?.some((step) => step.name === 'exchange' && step.state === 'DONE')
    if (run.code && exchanged && goodAgain(reason)) this.#again = run
    this.#fail(run, failure(this.#lang(), reason, [onboarding.message, onboarding.nextAction].filter(Boolean).join(' ')))
  }

  /** A session that no code has spent is good for another opening: a run of its own would look like another attempt. */
  #prepareAgain(): void {
    this.#preparation.begin(this.#run?.code ? undefined : this.#run?.session)
  }

  // The state.

  /** The session or the SDK has come, has gone, or does not come. */
  #prepared(): void {
    const { session, sdk } = this.#preparation
    const trouble = session ? this.#obstacle(session, sdk) : this.#preparation.trouble
    const { status } = this.#state
    if (trouble) {
      if (session) this.#preparation.stop()
      this.#set({ status: 'failed', error: failure(this.#lang(), trouble) })
    } else if (session && (status === 'loading' || (status === 'failed' && this.#state.error.reason === 'SESSION_UNAVAILABLE'))) {
      this.#set({ status: 'ready' })
    } else {
      this.#set(status === 'ready' ? { status: 'loading' } : (this.#state as Change))
    }
  }

  #fail(run: Run, failure: SignupError): void {
    if (run !== this.#run) return
    const { sessionId } = run.info ?? {}
    const error = { ...failure, ...(sessionId && { sessionId }) }
    this.#set({ status: 'failed', error })
    this.#exit(error)
    if (error.canRetry) this.#prepareAgain()
  }

  #set(change: Change, key?: 'redirecting' | 'retrying'): void {
    const { status } = change
    const lang = this.#lang()
    const onboardingId = this.#run?.api.onboardingId
    const message =
      status === 'failed'
        ? change.error.message
        : status === 'cancelled'
          ? cancelledText(lang, change.step)
          : text(lang, key ?? status)
    const canOpen = status === 'ready' || status === 'cancelled' || (status === 'failed' && change.error.canRetry)
    const before = this.#state.status
    this.#state = {
      ...change,
      message,
      ready: canOpen && Boolean(this.#again || this.#preparation.session),
      busy: status === 'open' || status === 'exchanging' || status === 'claiming',
      ...(onboardingId && { onboardingId }),
    } as State
    for (const listener of [...this.#listeners]) listener()
    if (status !== before) queueMicrotask(() => this.#options.onEvent?.({ name: status, ...(onboardingId && { onboardingId }) }))
  }

  #exit(error: SignupError | null, step?: string): void {
    const { onboardingId } = this.#state
    queueMicrotask(() => this.#options.onExit?.(error, { ...(onboardingId && { onboardingId }), ...(step && { step }) }))
  }

  #report(run: Run, report: Report): void {
    run.api.report(report)
    queueMicrotask(() => this.#options.onEvent?.({ name: 'report', onboardingId: run.api.onboardingId, ...report }))
  }

  // What the options say now.

  #lang = (): Lang => language(this.#options.lang)

  #flow = () => this.#options.flow ?? 'auto'

  #redirects(session: Session): boolean {
    if (this.#flow() === 'redirect') return true
    return this.#mayLeave(session) && (this.#distrustsPopups || losesPopups(navigator.userAgent))
  }

  #mayLeave(session: Session): boolean {
    return this.#flow() === 'auto' && Boolean(session.redirectUri)
  }

  /** Why neither of the flows can open. */
  #obstacle(session: Session, sdk: FacebookSDK | undefined): Failure | undefined {
    if (this.#redirects(session)) return session.redirectUri ? undefined : 'REDIRECT_UNAVAILABLE'
    return sdk || this.#mayLeave(session) ? undefined : 'SDK_UNAVAILABLE'
  }

  #knownUrl = () => this.#options.apiUrl ?? this.#scriptOrigin

  #apiUrl(session?: Session): string {
    const callback = session?.redirectUri?.replace(/\/onboarding\/callback$/, '')
    return this.#options.apiUrl ?? (callback || this.#scriptOrigin || location.origin)
  }

  #api(session: Session): Api {
    return new Api(this.#apiUrl(session), session.onboardingId, session.clientToken, this.#lang())
  }

  #extras(session: Session): Record<string, unknown> {
    const { coexistence } = this.#options
    const wanted = typeof coexistence === 'function' ? coexistence() : coexistence
    return wanted ? { ...session.extras, featureType: 'whatsapp_business_app_onboarding' } : session.extras
  }
}
