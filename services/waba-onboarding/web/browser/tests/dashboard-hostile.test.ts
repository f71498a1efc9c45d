import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, shareStack, type Stage } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, goTo, signIn } from '../harness/operator'

shareStack()

const script = `<script>document.title="ran"</script><img src=x onerror="document.title='ran'">"'\`{{7*7}}</td></table>`
const turned = 'Padaria \u202Efdp.exe\u2066\u200F \u0000\u001B[31m مخبز'
const long = 'W'.repeat(5_000)
const names = { script, turned, long }

/** Everything that somebody outside can write, says the same bad thing. */
async function plant(stage: Stage, text: string): Promise<string[]> {
  const { devstack, organization, watch } = stage
  const short = text.slice(0, 200)
  const { connectionId, phoneNumberIds, wabaId } = await claim(stage, { businessName: text, wabas: [{ name: text, phones: [{ verified_name: text }] }] })
  await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', name: text, text })
  const value = { [short]: text, messaging_product: text }
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: wabaId, time: 1, changes: [{ field: short, value }, { field: 'account_update', value: { event: short } }] }] })
  await devstack.sim('webhooks', { wabaId, body })
  const { onboardingId, state, clientToken } = await devstack.api(organization, 'onboardings', {})
  watch.keepSecret(state, clientToken)
  await devstack.api(organization, `onboardings/${onboardingId}:report`, { event: 'FAILED', errorCode: '1', errorMessage: text.slice(0, 1_000), sessionId: '1' })
  const { secret } = await devstack.api(organization, 'destinations', { kind: 'EVENTS', url: `http://127.0.0.1:9/${encodeURIComponent(short)}` })
  watch.keepSecret(secret)
  return ['/', '/connections', `/connections/${connectionId}`, '/attempts', `/attempts?id=${onboardingId}`, '/events', '/events?tab=destinations', `/connections?q=${encodeURIComponent(short.slice(0, 60))}`]
}

/** Nothing of it became markup, ran, or turned what stands around it. */
async function inert(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(() => ({
    title: document.title,
    markup: document.querySelectorAll('img, main script, iframe').length,
    marks: /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u0000\u001b]/.test(document.body.innerText),
  }))
  assert.ok(!found.title.includes('ran'), where)
  assert.equal(found.markup, 0, where)
  assert.equal(found.marks, false, `${where} shows marks that turn text`)
}

for (const [kind, text] of Object.entries(names)) {
  browserTest(`hostile texts: ${kind} stays text, and in its place, on every screen`, async (stage) => {
    const { page, organization } = stage
    stage.expectedErrors.push(/400/)
    const paths = await plant(stage, text)
    await signIn(stage)
    const saying = new Set<string>()
    for (const path of paths) {
      await goTo(page, `${path}${path.includes('?') ? '&' : '?'}org=${organization}`)
      if ((await page.locator('body').innerText()).includes(text.slice(0, 8))) saying.add(path)
      await inert(page, path)
      for (const width of [1280, 320]) {
        await page.setViewportSize({ width, height: 800 })
        await accessible(page, `${path} at ${width} px`)
        await picture(page, `hostile-${kind}-${paths.indexOf(path)}-${width}`)
      }
    }
    assert.ok(saying.size >= 6, `only ${[...saying].join()} say it`)
  })
}
