import { loadSDK, type FacebookSDK } from './sdk'
import type { Failure, Session } from './types'

/** Sessions are renewed this long before they run out. */
const margin = 60_000
/** How long a session counts when its own time makes no sense, as on a computer whose clock is wrong. */
const usualLife = 25 * 60_000
/** How often a back end that does not answer is asked, over about a minute. */
const tries = 6

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
    if (left && Date.now() < this.#until) this.#keep(left)
    else void this.#prepare(++this.#turn, 1)
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
    document.removeEventListener('visibilitychange', this.#renew)
    this.session = undefined
  }

  async #prepare(turn: number, attempt: number): Promise<void> {
    let session: Session
    this.#asking = true
    try {
      session = await this.#ask()
      if (fields.some((name) => typeof session[name] !== 'string') || !Array.isArray(session.messageOrigins)) {
        throw new Error('not what StartOnboarding answers')
      }
    } catch {
      if (turn !== this.#turn) return
      this.#asking = false
      this.trouble = 'SESSION_UNAVAILABLE'
      this.#changed()
      if (attempt < tries) this.#timer = setTimeout(() => void this.#prepare(turn, attempt + 1), 1000 * 2 ** attempt)
      return
    }
    if (this.#wantsSDK(session)) this.sdk = await loadSDK(session).catch(() => undefined)
    if (turn !== this.#turn) return
    this.#asking = false
    this.trouble = undefined
    const left = Date.parse(session.expireTime) - Date.now()
    this.#until = Date.now() + (left > 0 && left < 2 * usualLife ? left - margin : usualLife)
    this.#keep(session)
  }

  /** Has a session at hand, and renews it before it runs out, but not for a page that nobody sees. */
  #keep(session: Session): void {
    this.session = session
    this.#timer = setTimeout(
      () => (document.hidden ? document.addEventListener('visibilitychange', this.#renew) : this.#renew()),
      Math.max(this.#until - Date.now(), margin / 2),
    )
    this.#changed()
  }

  #renew = (): void => {
    this.stop()
    this.#changed()
    this.begin()
  }
}
