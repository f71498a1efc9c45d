// What an operator does in the dashboard.
import type { Locator, Page } from 'playwright-core'
import { finishPopup } from './dialog'
import type { Stage } from './index'
import { patience, until } from './patience'

/** Opens a screen as the operator, for the organization of the test or for all. */
export async function signIn(stage: Stage, path = '/', organization: string = stage.organization): Promise<void> {
  const { page, devstack } = stage
  const url = new URL(path, devstack.url)
  if (organization) url.searchParams.set('org', organization)
  url.hash = `token=${devstack.operatorToken}`
  await page.goto(url.href)
  await page.waitForURL((url) => url.hash === '')
  await page.getByRole('heading', { level: 1 }).waitFor()
}

/** Goes to another screen as a link of the page does: a reload would sign out. */
export async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')) }, path)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await settled(page)
}

/** Waits until nothing is being read any more and the page stands still. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async (most) => {
    let [shown, still] = ['', 0]
    for (let i = 0; still < 5; i++) {
      if (i * 50 > most) throw new Error('the page does not come to rest')
      await new Promise((resume) => setTimeout(resume, 50))
      const now = document.body.innerHTML
      still = now === shown && !document.querySelector('[class*="bones"]') ? still + 1 : 0
      shown = now
    }
  }, patience)
}

/** A customer's signup, claimed by the API; what the page is about to show. */
export async function claim({ devstack, organization, watch }: Stage, signup: object, of = organization): Promise<Claimed> {
  const { code, phoneNumberIds, wabaIds } = await devstack.sim('signups', signup)
  watch.keepSecret(code)
  const { connection } = await devstack.api(of, 'claim-waba', { code })
  return { connectionId: connection.connectionId, wabaId: wabaIds[0], phoneNumberIds }
}

export interface Claimed {
  connectionId: string
  wabaId: string
  phoneNumberIds: string[]
}

/** Waits for what the service does by itself after a claim: its numbers are registered. */
export async function registered({ devstack, organization }: Stage, { connectionId }: Claimed): Promise<void> {
  const numbers = async () => (await devstack.api(organization, `connections/${connectionId}`)).phoneNumbers as { registration: string }[]
  await until(numbers, (list) => list.every((n) => n.registration === 'REGISTERED'))
}

/** A run of the signup from the page to the connection's own page. */
export async function connect({ page }: Stage): Promise<void> {
  await page.getByRole('button', { name: 'Conectar WhatsApp' }).first().click()
  await throughPopup(page)
}

/** From the dialog that is open, through Meta's window, to the connection's own page. */
export async function throughPopup(page: Page): Promise<void> {
  const open = page.getByRole('button', { name: 'Abrir cadastro da Meta' })
  const [popup] = await Promise.all([page.waitForEvent('popup'), open.click()])
  await finishPopup(popup)
  await page.getByRole('link', { name: 'Ver a conexão' }).click()
  await page.getByRole('heading', { name: 'Linha do tempo' }).waitFor()
}

/** Waits until what is found says so. */
export async function says(found: Locator, text: string | RegExp): Promise<void> {
  await found.filter({ hasText: text }).first().waitFor()
}
