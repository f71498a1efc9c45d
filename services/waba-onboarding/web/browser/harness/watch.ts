// Watches what a browser does in a test, for secrets where none belongs and for errors that nobody expects.
import assert from 'node:assert/strict'
import type { BrowserContext, Page, Request, Response } from 'playwright-core'

/** Where OAuth itself puts the code and the state into an address: Meta's dialog, and our callback, which is no page. */
const oauth = /\/dialog\/oauth|\/onboarding\/callback/

/** What StartOnboarding answered, as far as tests ask. */
export interface Session {
  onboardingId: string
  state: string
  clientToken: string
}

export class Watch {
  /** The sessions that pages were given, in order. */
  readonly sessions: Session[] = []
  readonly #seen: { where: string; text: string }[] = []
  readonly #errors: string[] = []
  readonly #pending: Promise<unknown>[] = []
  readonly #secrets = new Set<string>()
  readonly #context: BrowserContext

  constructor(context: BrowserContext) {
    this.#context = context
    context.on('console', (message) => {
      this.#seen.push({ where: 'console', text: message.text() })
      if (message.type() === 'error' || message.type() === 'warning') this.#errors.push(message.text())
    })
    context.on('weberror', (error) => this.#errors.push(String(error.error())))
    context.on('response', (response) => this.#pending.push(this.#response(response).catch(() => {})))
    context.on('request', (request) => this.#pending.push(this.#request(request).catch(() => {})))
  }

  /** What must be nowhere but in the bodies and headers of calls. */
  keepSecret(...secrets: string[]): void {
    for (const secret of secrets) if (secret) this.#secrets.add(secret)
  }

  async #response(response: Response): Promise<void> {
    const started = response.request().method() === 'POST' && response.url().endsWith('/whatsapp/onboardings')
    if (!started && !response.url().endsWith('/session')) return
    const session = (await response.json()) as Session
    this.sessions.push(session)
    this.keepSecret(session.state, session.clientToken)
  }

  async #request(request: Request): Promise<void> {
    const { code } = (request.url().endsWith('/claim-waba') ? request.postDataJSON() : {}) as { code?: string }
    if (code) this.keepSecret(code)
    const returned = /\/onboarding\/callback\?.*\bcode=([^&]+)/.exec(request.url())?.[1]
    if (returned) this.keepSecret(decodeURIComponent(returned))
    if (!oauth.test(request.url())) this.#seen.push({ where: 'URL of a request', text: request.url() })
    const headers = await request.allHeaders()
    this.#seen.push({ where: `Referer of ${new URL(request.url()).pathname}`, text: headers['referer'] ?? '' })
  }

  /** Fails on a secret in the console, the history, a request's URL, a Referer, any storage or the page; and on errors. */
  async check(expectedErrors: RegExp[]): Promise<void> {
    for (const page of this.#context.pages()) await this.#inspect(page)
    const storage = await this.#context.storageState({ indexedDB: true })
    this.#seen.push({ where: 'storage or cookies', text: JSON.stringify(storage) })
    await Promise.all(this.#pending)
    assert.ok(this.#secrets.size > 0, 'a test that knows no secret finds none')
    for (const { where, text } of this.#seen) {
      for (const secret of this.#secrets) {
        for (const form of [secret, encodeURIComponent(secret), btoa(secret).replace(/=+$/, '')]) {
          assert.ok(!text.includes(form), `${where}: a code, state or token: ${text}`)
        }
      }
    }
    assert.deepEqual(this.#errors.filter((error) => !expectedErrors.some((expected) => expected.test(error))), [])
  }

  async #inspect(page: Page): Promise<void> {
    const cdp = await this.#context.newCDPSession(page)
    const { entries } = await cdp.send('Page.getNavigationHistory')
    for (const { url } of entries) {
      if (!/\/dialog\/oauth/.test(url)) this.#seen.push({ where: 'history', text: url })
    }
    if (oauth.test(page.url())) return // Meta's
    const text = await page.evaluate(() =>
      JSON.stringify([location.href, history.state, { ...sessionStorage }, { ...localStorage }, window.name, document.documentElement.outerHTML]),
    )
    this.#seen.push({ where: 'page', text })
  }
}
