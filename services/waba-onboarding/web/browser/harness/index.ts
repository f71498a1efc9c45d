import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium, type Launched } from './chromium'
import { Devstack } from './devstack'
import { Site, pages, type Session } from './site'
import { Watch } from './watch'

export { Devstack, Site, Watch }
export * from './dialog'

/** What a test has to work with: a browser of its own kind, and an organization that nobody else uses. */
export interface Stage {
  devstack: Devstack
  site: Site
  context: BrowserContext
  page: Page
  organization: string
  watch: Watch
  /** Errors of the console that the test provokes. */
  expectedErrors: RegExp[]
  /** The sessions that the site handed out. */
  sessions: () => Session[]
  /** The run that the page is about, as the operator sees it. */
  onboarding: (index?: number) => Promise<Record<string, any>>
}

let devstack: Devstack
let site: Site
let chromium: Launched
let tests = 0

/** Starts what the tests of a file share: one devstack, one site, one browser. */
export function shareStack(): void {
  before(async () => {
    site = await Site.start()
    devstack = await Devstack.start(site.origin, pages)
    site.devstack = devstack
    chromium = await launchChromium()
  })
  after(async () => {
    await chromium?.close()
    await devstack?.stop()
    await site?.stop()
  })
}

/** One test in a browser context of its own. It ends with the check that no code, state or token is anywhere. */
export function browserTest(name: string, run: (stage: Stage) => Promise<void>, options: BrowserContextOptions = {}): void {
  test(name, async () => {
    const organization = `org-${++tests}`
    await devstack.sim('dialog', {})
    const context = await chromium.browser.newContext({ locale: 'pt-BR', ...options })
    context.setDefaultTimeout(20_000)
    await context.addCookies([{ name: 'shop', value: organization, url: site.origin }])
    const watch = new Watch(context)
    watch.keepSecret(devstack.operatorToken)
    const page = await context.newPage()
    const sessions = () => site.sessions.get(organization) ?? []
    const onboarding = (index = 0) => devstack.api(organization, `onboardings/${sessions()[index]?.onboardingId}`)
    const stage = { devstack, site, context, page, organization, watch, expectedErrors: [] as RegExp[], sessions, onboarding }
    try {
      await run(stage)
      assert.ok(sessions().length > 0)
      for (const { state, clientToken } of sessions()) watch.keepSecret(state, clientToken)
      await watch.check(stage.expectedErrors)
    } finally {
      await context.close()
    }
  })
}
