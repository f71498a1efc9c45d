// The dashboard at a zoom of 400 %: a window of 1280 × 1024 is 320 × 256 CSS pixels then (WCAG 1.4.10).
import type { Locator } from 'playwright-core'
import { browserTest, shareStack, type Stage } from '../harness'
import { accessible, focusShows, picture } from '../harness/accessible'
import { signIn } from '../harness/operator'

shareStack()

const zoomed = { viewport: { width: 320, height: 256 } }
const long = `Comércio de Pães ${'M'.repeat(60)} e Filhos`

/** A connection with everything that a screen may show, under names as long as Meta takes them. */
async function furnish({ devstack, organization, watch }: Stage): Promise<string> {
  const { code, phoneNumberIds } = await devstack.sim('signups', { wabas: [{ name: long }] })
  watch.keepSecret(code)
  const { connection } = await devstack.api(organization, 'claim-waba', { code })
  await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', name: long, text: `${'https://example.com/'.repeat(9)} ${long}` })
  await devstack.api(organization, 'onboardings', {})
  return connection.connectionId
}

async function looks(stage: Stage, what: string): Promise<void> {
  await stage.page.waitForLoadState('networkidle')
  await accessible(stage.page, what)
  await focusShows(stage.page, what)
  await picture(stage.page, `zoom-${what.replaceAll(/\W+/g, '-')}`)
}

for (const locale of ['pt-BR', 'en-US']) {
  browserTest(`zoom: every screen of the dashboard fits, and the focus is never covered, ${locale}`, async (stage) => {
    const id = await furnish(stage)
    for (const path of ['/', '/connections', `/connections/${id}`, '/attempts', '/events', '/events?tab=destinations']) {
      await signIn(stage, path)
      await looks(stage, path.replace(id, 'one'))
    }
  }, { ...zoomed, locale })
}

browserTest('zoom: what opens over a screen fits too', async (stage) => {
  await furnish(stage)
  const { page } = stage
  const open = async (path: string, button: Locator, what: string) => {
    await signIn(stage, path)
    await button.first().click()
    await page.getByRole('dialog').waitFor()
    await looks(stage, what)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  }
  await open('/connections', page.getByRole('button', { name: 'Conectar WhatsApp' }), 'the signup')
  await open('/events?tab=destinations', page.getByRole('button', { name: 'Adicionar destino' }), 'a new destination')
  await open('/attempts', page.getByRole('main').locator('[class*=rowLink]'), 'an attempt')
  await open('/events', page.getByRole('main').locator('[class*=rowLink]'), 'an event')
}, zoomed)
