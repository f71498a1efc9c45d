import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, finishPopup, press, shareStack, walkTo } from '../harness'
import { accessible, focusShows, picture } from '../harness/accessible'
import { connected, finishFullPage, iPhone, keepsNothing, leaveForMeta, openButton, openLink, popupOf, refusals, says, title } from '../harness/customer'

shareStack()

/** A customer who shares accounts that exist already: all of them. */
const shareAll = (businessId: string, wabaIds: string[]) => ({
  business: (dialog: Page) => dialog.locator(`[name=business][value="${businessId}"]`).check(),
  waba: async (dialog: Page) => {
    for (const box of await dialog.locator('[name=waba]').all()) await box.setChecked(wabaIds.includes((await box.getAttribute('value')) ?? ''))
  },
})

browserTest('customer: by popup to the number that is connected', async (stage) => {
  const before = await stage.devstack.exchanges()
  await openLink(stage)
  await keepsNothing(stage.page)
  await finishPopup(await popupOf(stage.page))
  await connected(stage)
  await keepsNothing(stage.page)
  assert.equal(await stage.devstack.exchanges(), before + 1)
})

browserTest(
  'customer: by the full page on a phone, and back',
  async (stage) => {
    const before = await stage.devstack.exchanges()
    const { onboardingId } = await openLink(stage)
    await keepsNothing(stage.page)
    await leaveForMeta(stage.page)
    await finishFullPage(stage.page)
    await connected(stage)
    assert.equal(stage.page.url(), `${stage.devstack.url}/connect`)
    await keepsNothing(stage.page)
    assert.equal(await stage.devstack.exchanges(), before + 1)
    assert.equal((await stage.devstack.api(stage.organization, `onboardings/${onboardingId}`))['state'], 'CONNECTED')
  },
  iPhone,
)

browserTest('customer: cancels, and tries again', async (stage) => {
  const before = await stage.devstack.exchanges()
  const { onboardingId } = await openLink(stage)
  const popup = await popupOf(stage.page)
  await walkTo(popup, 'business')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'cancel')])
  await says(stage.page, 'você parou em escolha da empresa')
  assert.equal(await openButton(stage.page).textContent(), 'Tentar de novo')
  await finishPopup(await popupOf(stage.page))
  await connected(stage)
  assert.equal(await stage.devstack.exchanges(), before + 1)
  assert.equal((await stage.devstack.api(stage.organization, `onboardings/${onboardingId}`))['state'], 'CONNECTED', 'one run')
})

browserTest(
  'customer: cancels in the full page, comes back, and tries again without the link',
  async (stage) => {
    await openLink(stage)
    for (let round = 0; round < 2; round++) {
      await leaveForMeta(stage.page)
      await walkTo(stage.page, 'business')
      await press(stage.page, 'cancel')
      await says(stage.page, 'Conexão não concluída')
    }
    await leaveForMeta(stage.page)
    await finishFullPage(stage.page)
    await connected(stage)
  },
  iPhone,
)

browserTest("customer: Meta's error is a sentence with a code to quote, and another try follows", async (stage) => {
  await openLink(stage)
  const popup = await popupOf(stage.page)
  await stage.devstack.sim('dialog', { error: { code: '2859009' } })
  await walkTo(popup, 'failed')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'report')])
  const alert = stage.page.getByRole('alert')
  await alert.getByText('Ative a autenticação de dois fatores').waitFor()
  assert.match((await alert.innerText()) ?? '', /Código para o suporte: META_SIGNUP_ERROR · 2859009 · \d+/)
  await stage.devstack.sim('dialog', {})
  await finishPopup(await popupOf(stage.page))
  await connected(stage)
})

browserTest('customer: whoever turns the language reads all of the page in it', async (stage) => {
  const { page } = stage
  await openLink(stage)
  const cancelling = await popupOf(page)
  await walkTo(cancelling, 'business')
  await press(cancelling, 'cancel')
  await says(page, 'Conexão não concluída')
  await page.getByRole('button', { name: 'English' }).click()
  await says(page, 'Not connected yet')
  const popup = await popupOf(page)
  await stage.devstack.sim('dialog', { error: { code: '2859009' } })
  await walkTo(popup, 'failed')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'report')])
  await page.getByRole('alert').getByText('Turn on two-factor authentication').waitFor()
  await page.getByRole('button', { name: 'Português' }).click()
  await page.getByRole('alert').getByText('Ative a autenticação de dois fatores').waitFor()
  await openButton(page).waitFor()
  assert.equal(await page.getByText('Turn on').count(), 0)
  await stage.devstack.sim('dialog', {})
})

browserTest('customer: a claim that failed is tried again with the same link', async (stage) => {
  stage.expectedErrors.push(refusals)
  const link = await openLink(stage)
  await stage.devstack.sim('faults', { method: 'POST', path: '/oauth/access_token', times: 1, status: 400, error: { code: 100, error_subcode: 36007, message: 'expired' } })
  await finishPopup(await popupOf(stage.page))
  await stage.page.getByRole('alert').getByText('CODE_EXPIRED').waitFor()
  await finishPopup(await popupOf(stage.page))
  await connected(stage)
  assert.notEqual(stage.watch.sessions.at(-1)?.onboardingId, link.onboardingId)
})

const hostile = [
  '<script>document.title="ran"</script><img src=x onerror="document.title=\'ran\'">',
  'Loja \u202etxt.exe\u0000 "\' &amp; </span>',
  `Padaria ${'W'.repeat(90)}`,
]

browserTest(
  'customer: several accounts with hostile names are text to choose from, and a link that is opened again goes on there',
  async (stage) => {
    stage.expectedErrors.push(refusals)
    const { page } = stage
    const { businessId, wabaIds } = await stage.devstack.sim('signups', { wabas: hostile.map((name) => ({ name })) })
    await stage.devstack.sim('dialog', { order: 'session_never' })
    const link = await openLink(stage)
    await leaveForMeta(page)
    await walkTo(page, 'permissions', shareAll(businessId, wabaIds))
    await press(page, 'next')
    await title(page, 'Qual conta quer conectar?')
    const names = await page.locator('.choice bdi').allTextContents()
    assert.equal(names.length, hostile.length)
    assert.ok(names.includes(hostile[0] ?? '') && names.includes(hostile[2] ?? ''), names.join())
    assert.ok(names.some((name) => name.includes('Loja txt.exe') && name.includes('&amp; </span>')), 'nothing turns the text around')
    await accessible(page, 'the choice')
    await picture(page, 'customer-choice')

    await page.goto('about:blank') // the customer looks at something else, and the browser forgets the page
    await page.goto(link.url)
    await title(page, 'Qual conta quer conectar?')
    await page.setViewportSize({ width: 320, height: 700 })
    await accessible(page, 'the choice at 320 px')
    await page.locator('.choice').first().tap()
    await connected(stage)
    assert.equal(await page.title(), 'Conectar seu WhatsApp')
  },
  iPhone,
)

for (const colorScheme of ['light', 'dark'] as const) {
  for (const locale of ['pt-BR', 'en-US']) {
    browserTest(`customer: accessible at every step, ${colorScheme}, ${locale}`, async (stage) => {
      stage.expectedErrors.push(refusals)
      const { page } = stage
      const looks = async (what: string) => {
        for (const width of [1280, 390, 320]) {
          await page.setViewportSize({ width, height: { 1280: 900, 390: 700, 320: 256 }[width] ?? 0 }) // the last is 1280 × 1024 at 400 %
          await accessible(page, `${what} at ${width} px`)
          await focusShows(page, `${what} at ${width} px`)
          await picture(page, `customer-${what}-${colorScheme}-${locale}-${width}`)
        }
      }
      await openLink(stage)
      await looks('invitation')
      const popup = await popupOf(page)
      await looks('open')
      await stage.devstack.sim('dialog', { error: { code: '3441041' } })
      await walkTo(popup, 'failed')
      await Promise.all([popup.waitForEvent('close'), press(popup, 'report')])
      await page.getByRole('alert').waitFor()
      await looks('failed')
      await stage.devstack.sim('dialog', {})
      await finishPopup(await popupOf(page))
      await title(page, locale === 'en-US' ? 'Done, you are connected!' : 'Pronto, conectado!')
      await looks('connected')
      const other = locale === 'en-US' ? { turn: 'Português', done: 'Pronto, conectado!', lang: 'pt-BR' } : { turn: 'English', done: 'Done, you are connected!', lang: 'en' }
      await page.getByRole('button', { name: other.turn }).click()
      await title(page, other.done)
      assert.equal(await page.evaluate(() => document.documentElement.lang), other.lang)
      await page.reload()
      await looks('reloaded')
      await page.goto('about:blank')
      await page.goto(`${stage.devstack.url}/connect#wct_forged`)
      await title(page, /Este link|This link/)
      await looks('expired')
    }, { colorScheme, locale })
  }
}
