// The page that a customer opens by a link.
import type { Page } from 'playwright-core'
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
