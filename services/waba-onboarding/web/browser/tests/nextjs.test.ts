import assert from 'node:assert/strict'
import { browserTest, finishPopup, press, shareStack, walkTo, type Stage } from '../harness'
import { startNext } from '../harness/nextjs'

shareStack(startNext)

async function connects(stage: Stage): Promise<void> {
  await stage.page.getByRole('status').filter({ hasText: 'WhatsApp conectado.' }).waitFor()
  assert.equal((await stage.onboarding())['state'], 'CONNECTED')
}

const button = (stage: Stage) => stage.page.getByRole('button', { name: 'Conectar WhatsApp' })

browserTest('Next.js: in a popup', async (stage) => {
  await stage.page.goto(`${stage.host.origin}/whatsapp`)
  const [popup] = await Promise.all([stage.page.waitForEvent('popup'), button(stage).click()])
  await finishPopup(popup)
  await connects(stage)
})

browserTest(
  'Next.js: in the full page, and the router does not bring the token back into the address',
  async (stage) => {
    await stage.page.goto(`${stage.host.origin}/whatsapp`)
    await button(stage).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await walkTo(stage.page, 'permissions')
    await press(stage.page, 'next')
    const refreshed = stage.page.waitForResponse((response) => response.url().includes('_rsc='))
    await connects(stage)
    await refreshed // the example refreshes once it is connected
    await stage.page.waitForFunction(() => new Promise((resume) => setTimeout(() => resume(true), 500)))
    assert.equal(stage.page.url(), `${stage.host.origin}/whatsapp`)
  },
  { userAgent: 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/153.0.0.0 Mobile Safari/537.36' },
)
