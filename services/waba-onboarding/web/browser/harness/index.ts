import { after, before, test } from 'node:test'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium, type Launched } from './chromium'
import { Devstack } from './devstack'
import { patience } from './patience'
import { Site } from './site'
import { Watch } from './watch'

export { Devstack, Watch }
export * from './dialog'
export { until } from './patience'

/** A web site of an integrator. */
export interface Host {
  origin: string
  /** The pages that the full-page signup may lead back to. */
  pages: string[]
  serve: (devstack: Devstack) => Promise<void>
  stop: () => Promise<void>
}

/** What a test has to work with: a browser of its own kind, and an organization that nobody else uses. */
export interface Stage {
  devstack: Devstack
  host: Host
  context: BrowserContext
  page: Page
  organization: string
  watch: Watch
  /** Errors of the console that the test provokes. */
  expectedErrors: RegExp[]
  /** A run that the site began, as the operator sees it. */
  onboarding: (index?: number) => Promise<Record<string, any>>
}

let devstack: Devstack
let host: Host
let chromium: Launched
let tests = 0

/** Starts what the tests of a file share: one devstack, one site, one browser. */
export function shareStack(startHost: () => Promise<Host> = Site.start): void {
  before(async () => {
    host = await startHost()
    devstack = await Devstack.start(host.origin, host.pages)
    await host.serve(devstack)
    chromium = await launchChromium()
  })
  after(async () => {
    await chromium?.close()
    await devstack?.stop()
    await host?.stop()
  })
}

/** One test in a browser context of its own. It ends with the check that no code, state or token is anywhere. */
export function browserTest(name: string, run: (stage: Stage) => Promise<void>, options: BrowserContextOptions = {}): void {
  test(name, async () => {
    const organization = `org-${++tests}`
    await devstack.sim('dialog', {})
    const context = await chromium.browser.newContext({ locale: 'pt-BR', ...options })
    context.setDefaultTimeout(patience)
    await context.addCookies([{ name: 'shop', value: organization, url: host.origin }])
    const watch = new Watch(context)
    watch.keepSecret(devstack.operatorToken)
    const page = await context.newPage()
    const onboarding = (index = 0) => devstack.api(organization, `onboardings/${watch.sessions[index]?.onboardingId}`)
    const stage: Stage = { devstack, host, context, page, organization, watch, expectedErrors: [], onboarding }
    try {
      await run(stage)
      await watch.check(stage.expectedErrors)
    } catch (error) {
      for (const open of context.pages()) console.error(`${open.url()}: ${await open.locator('body').innerText().catch(String)}`)
      throw error
    } finally {
      await context.close()
    }
  })
}
