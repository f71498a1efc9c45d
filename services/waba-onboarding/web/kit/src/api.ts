import type { Onboarding, Report } from './types.js'

/** An error of the API, or of the way to it. */
export class ApiError extends Error {
  constructor(
    readonly reason: string,
    message: string,
    /** Whether the same call may succeed later. */
    readonly transient: boolean,
    readonly retryAfterMs = 0,
  ) {
    super(message)
  }
}

/** Longer than the server lets anybody wait. */
const patience = 35_000

/** The calls that a client token is good for, of one onboarding. */
export class Api {
  #reports: Promise<unknown> = Promise.resolve()
  readonly #base: string
  readonly #onboardings: string

  constructor(
    apiUrl: string,
    readonly onboardingId: string,
    readonly token: string,
    readonly lang: string,
  ) {
    this.#base = `${apiUrl.replace(/\/+$/, '')}/api/v1/whatsapp/`
    this.#onboardings = `onboardings/${encodeURIComponent(onboardingId)}`
  }

  claim(code: string, state: string): Promise<Onboarding> {
    return this.#call('claim-waba', { code, state, onboardingId: this.onboardingId })
  }

  select(wabaId: string): Promise<Onboarding> {
    return this.#call(`${this.#onboardings}:selectWaba`, { wabaId })
  }

  wait(seenState: string): Promise<Onboarding> {
    return this.#call(`${this.#onboardings}:wait?seenState=${seenState}&timeout=20s`)
  }

  /** Best effort, in order, and never in the way. */
  report(report: Report): void {
    this.#reports = this.#reports.then(() => this.#call(`${this.#onboardings}:report`, report)).catch(() => {})
  }

  async #call(path: string, body?: object): Promise<Onboarding> {
    let response: Response
    let answer: unknown
    try {
      response = await fetch(this.#base + path, {
        method: body ? 'POST' : 'GET',
        headers: {
          Authorization: `Bearer ${this.token}`,
          'Accept-Language': this.lang,
          ...(body && { 'Content-Type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body), keepalive: true }), // a closed tab must not take the code with it
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        redirect: 'error',
        signal: AbortSignal.timeout(patience),
      })
      answer = await response.json()
    } catch {
      throw new ApiError('NETWORK', '', true) // no answer, or none of the API's
    }
    if (response.ok) return answer as Onboarding
    throw readError(response, answer)
  }
}

interface Detail {
  '@type'?: string
  reason?: string
  message?: string
}

function readError(response: Response, body: unknown): ApiError {
  const { details } = (body ?? {}) as { details?: Detail[] }
  const detail = (type: string) => (Array.isArray(details) ? details : []).find((d) => d?.['@type']?.endsWith(type))
  const reason = detail('.ErrorInfo')?.reason ?? 'UNKNOWN'
  return new ApiError(
    reason,
    detail('.LocalizedMessage')?.message ?? '',
    // As the dashboard's Problem.passing; but a code that Meta throttled is spent.
    reason !== 'META_RATE_LIMITED' && /429|5.[^1]/.test(`${response.status}`),
    1000 * Number(response.headers.get('Retry-After') ?? 0) || 0,
  )
}
