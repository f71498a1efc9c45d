import { loadSDK, type FacebookSDK } from './sdk.js'
import type { Failure, Session } from './types.js'

/** Sessions are renewed this long before they run out. */
const margin = 60_000
/** How long a session counts when its own time makes no sense, as on a computer whose clock is wrong. */
const usualLife = 25 * 60_000
/** How long a back end that does not answer is left alone at most. */
const slowest = 30_000

const fields = ['onboardingId', 'appId', 'configId', 'sdkUrl', 'dialogUrl', 'state', 'clientToken'] as const

/** Keeps at hand what open() needs, since nothing can be waited for in a click: a session that is good, and the SDK. */
export class Preparation {
  session: Session | undefined
  sdk: FacebookSDK | undefined
  trouble: Failure | undefined
  readonly #ask: () => Promise<Session>
  readonly #wantsSDK: (session: Session) => boolean
  readonly #changed: () => void
  /** Counts what was begun: what an earlier one brings is too late. */
  #turn = 0
  #asking = false
  /** Counts how often in a row a session was asked for. */
  #attempt = 0
  /** Until when the session that came last is good. */
  #until = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ask: () => Promise<Session>, wantsSDK: (session: Session) => boolean, changed: () => void) {
    this.#ask = ask
    this.#wantsSDK = wantsSDK
    this.#changed = changed
  }

  /** Prepares a session unless one is at hand: what is left of a run that spent none, else another. */
  begin(left?: Session): void {
    if (this.session) return this.#changed()
    if (this.#asking) return
    clearTimeout(this.#timer)
    this.trouble = undefined
    this.#listen('addEventListener')
    if (left && Date.now() < this.#until) this.#keep(left)
    else void this.#prepare()
  }

  /** Hands over the session for one run. */
  take(): Session | undefined {
    const { session } = this
    this.stop()
    return session
  }

  stop(): void {
    this.#turn++
    this.#asking = false
    clearTimeout(this.#timer)
    this.#listen('removeEventListener')
    this.session = undefined
  }

  async #prepare(): Promise<void> {
    const turn = ++this.#turn
    this.#asking = true
    this.#attempt++
    let session: Session | undefined
    try {
      const answer = (session = await this.#ask())
      if (fields.some((name) => typeof answer[name] !== 'string') || !Array.isArray(answer.messageOrigins)) throw answer
      if (this.#wantsSDK(answer)) this.sdk = await loadSDK(answer).catch(() => undefined)
    } catch {
      session = undefined // the back end is away, or what it answers is none
    }
    if (turn !== this.#turn) return
    this.#asking = false
    this.trouble = session ? undefined : 'SESSION_UNAVAILABLE'
    if (session) {
      const left = Date.parse(session.expireTime) - Date.now()
      this.#until = Date.now() + (left > 0 && left < 2 * usualLife ? left - margin : usualLife)
      return this.#keep(session)
    }
    this.#changed()
    this.#timer = setTimeout(this.#wake, Math.min(1000 * 2 ** this.#attempt, slowest))
  }

  /** Has a session at hand, and renews it before it runs out, but not for a page that nobody sees. */
  #keep(session: Session): void {
    this.session = session
    this.#attempt = 0
    this.#timer = setTimeout(
      () => {
        this.#until = 0
        this.#wake()
      },
      Math.max(this.#until - Date.now(), margin / 2),
    )
    this.#changed()
  }

  #listen(change: 'addEventListener' | 'removeEventListener'): void {
    window[change]('online', this.#wake)
    document[change]('visibilitychange', this.#wake)
  }

  /** Asks for a session where none is good, also before its time when the network or somebody is back. */
  #wake = (): void => {
    if (document.hidden || this.#asking || (this.session && Date.now() < this.#until)) return
    clearTimeout(this.#timer)
    this.session = undefined
    this.#changed()
    void this.#prepare()
  }
}
