// The page that a customer opens by a link.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { press, walkTo } from './dialog'
import type { Stage } from './index'

export interface CustomerLink {
  url: string
  token: string
  onboardingId: string
}

/** Makes a link as an operator does: PUBLIC_URL/connect#<clientToken>. */
export async function makeLink(stage: Stage): Promise<CustomerLink> {
  const { clientToken, onboardingId, state } = await stage.devstack.api(stage.organization, 'onboardings', {})
  stage.watch.keepSecret(clientToken, state)
  return { url: `${stage.devstack.url}/connect#${clientToken}`, token: clientToken, onboardingId }
}

/** The one button that goes on, once it works. */
export const openButton = (page: Page) => page.locator('#open:enabled')

/** Opens a link, and waits until its button works. */
export async function openLink(stage: Stage): Promise<CustomerLink> {
  const link = await makeLink(stage)
  await stage.page.goto(link.url)
  await openButton(stage.page).waitFor()
  return link
}

/** The browser of a phone. */
export const iPhone = {
  userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
}

/** What the console says of answers that refuse. */
export const refusals = /status of 40[0-9]/

export const title = (page: Page, text: string | RegExp) => page.getByRole('heading', { level: 1, name: text }).waitFor()
export const says = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor()

export async function popupOf(page: Page): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), openButton(page).click()])
  return popup
}

export async function leaveForMeta(page: Page): Promise<void> {
  await openButton(page).tap()
  await page.waitForURL(/dialog\/oauth/)
}

export async function finishFullPage(page: Page): Promise<void> {
  await walkTo(page, 'permissions')
  await press(page, 'next')
}

/** The page says that it is done, and shows the number that is connected now. */
export async function connected(stage: Stage, page = stage.page): Promise<void> {
  await title(page, 'Pronto, conectado!')
  const { connections } = await stage.devstack.api(stage.organization, 'connections')
  assert.equal(connections.length, 1)
  await page.getByText(connections[0].phoneNumbers[0].displayPhoneNumber, { exact: true }).waitFor()
}

/** The link is nowhere that outlives the page: one entry in the history, without it, and nothing stored. */
export async function keepsNothing(page: Page): Promise<void> {
  const kept = await page.evaluate(() => [location.href, JSON.stringify(history.state), localStorage.length + sessionStorage.length])
  assert.deepEqual(kept, [page.url(), '{"link":true}', 0])
  assert.equal(new URL(page.url()).hash, '')
}
