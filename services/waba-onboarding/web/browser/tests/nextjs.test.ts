import assert from 'node:assert/strict'
import { browserTest, finishPopup, press, shareStack, until, walkTo, type Stage } from '../harness'
import { startNext } from '../harness/nextjs'

shareStack(startNext)

async function connects(stage: Stage): Promise<void> {
  await stage.page.getByRole('status').filter({ hasText: 'WhatsApp conectado.' }).waitFor()
  assert.equal((await stage.onboarding())['state'], 'CONNECTED')
}

const button = (stage: Stage) => stage.page.getByRole('button', { name: 'Conectar WhatsApp' })

declare global {
  interface Window {
    /** How often the page wrote into the history. */
    writes: number
  }
}

/** Runs in the page. */
function countWrites(): void {
  window.writes = 0
  const { replaceState } = History.prototype
  History.prototype.replaceState = function (...args) {
    replaceState.apply(this, args)
    window.writes++
  }
}

browserTest('Next.js: in a popup', async (stage) => {
  await stage.page.goto(`${stage.host.origin}/whatsapp`)
  const [popup] = await Promise.all([stage.page.waitForEvent('popup'), button(stage).click()])
  await finishPopup(popup)
  await connects(stage)
})

browserTest(
  'Next.js: in the full page, and the router does not bring the token back into the address',
  async (stage) => {
    await stage.page.addInitScript(countWrites)
    await stage.page.goto(`${stage.host.origin}/whatsapp`)
    await button(stage).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await walkTo(stage.page, 'permissions')
    await press(stage.page, 'next')
    // The example refreshes once it is connected, and the router writes the address that it knows.
    let before = Infinity
    await stage.page.route(/_rsc=/, async (route) => {
      before = await stage.page.evaluate(() => window.writes)
      await route.continue()
    })
    await connects(stage)
    await until(() => stage.page.evaluate(() => window.writes), (writes) => writes > before)
    assert.equal(stage.page.url(), `${stage.host.origin}/whatsapp`)
  },
  { userAgent: 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/153.0.0.0 Mobile Safari/537.36' },
)
