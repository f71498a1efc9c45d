// An operator who is signed in to the dashboard.
import type { Stage } from './index'

/** Opens a screen, signed in by the fragment as by the address that the devstack prints. */
export async function visit({ page, devstack, organization }: Stage, path: string): Promise<void> {
  const query = `${path.includes('?') ? '&' : '?'}org=${organization}`
  await page.goto('about:blank')
  await page.goto(`${devstack.url}${path}${query}#token=${devstack.operatorToken}`)
  await page.waitForURL((url) => url.hash === '')
  await page.getByRole('heading', { level: 1 }).waitFor()
}
