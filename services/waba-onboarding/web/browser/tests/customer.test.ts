import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, finishPopup, press, shareStack, walkTo, type Stage } from '../harness'
import { accessible, focusShows, picture } from '../harness/accessible'
import { makeLink, openButton, openLink } from '../harness/customer'

shareStack()

const iPhone = {
  userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
}
const instagram = { ...iPhone, userAgent: `${iPhone.userAgent} Instagram 350.0` }
const refusals = /status of 40[0-9]/

const title = (page: Page, text: string | RegExp) => page.getByRole('heading', { level: 1, name: text }).waitFor()
const says = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor()

async function popupOf(page: Page): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), openButton(page).click()])
  return popup
}

async function leaveForMeta(page: Page): Promise<void> {
  await openButton(page).tap()
  await page.waitForURL(/dialog\/oauth/)
}

async function finishFullPage(page: Page): Promise<void> {
  await walkTo(page, 'permissions')
  await press(page, 'next')
}

/** The page says that it is done, and shows the number that is connected now. */
async function connected(stage: Stage, page = stage.page): Promise<void> {
  await title(page, 'Pronto, conectado!')
  const { connections } = await stage.devstack.api(stage.organization, 'connections')
  assert.equal(connections.length, 1)
  await page.getByText(connections[0].phoneNumbers[0].displayPhoneNumber, { exact: true }).waitFor()
}

/** The link is nowhere that outlives the page: one entry in the history, without it, and nothing stored. */
async function keepsNothing(page: Page): Promise<void> {
  const kept = await page.evaluate(() => [location.href, JSON.stringify(history.state), localStorage.length + sessionStorage.length])
  assert.deepEqual(kept, [page.url(), '{"link":true}', 0])
  assert.equal(new URL(page.url()).hash, '')
}

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

/** Answers StartOnboarding as the service does with such a reason. */
async function startAnswers(page: Page, status: number, reason: string): Promise<void> {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'connect.whatrack', metadata: {} }]
  await page.route('**/api/v1/whatsapp/onboardings', (route) => route.fulfill({ status, json: { code: 16, message: reason, details } }))
}

for (const [status, reason] of [[401, 'CREDENTIAL_EXPIRED'], [400, 'ONBOARDING_EXPIRED']] as const) {
  browserTest(`customer: a link that expired says what to do (${reason})`, async (stage) => {
    stage.expectedErrors.push(refusals)
    const { page } = stage
    await startAnswers(page, status, reason)
    await page.goto((await makeLink(stage)).url)
    await title(page, 'Este link não vale mais')
    await page.getByText('Peça um novo a quem enviou').waitFor()
    assert.equal(await page.locator('#open').count(), 0)
  })
}

browserTest('customer: a service that is away for a moment is no link that expired', async (stage) => {
  stage.expectedErrors.push(/status of 503/)
  const { page } = stage
  await startAnswers(page, 503, 'STORAGE_UNAVAILABLE')
  await page.goto((await makeLink(stage)).url)
  await page.getByRole('alert').getByText('Vamos tentar de novo em instantes').waitFor()
  await page.unroute('**/api/v1/whatsapp/onboardings')
  await finishPopup(await popupOf(page))
  await connected(stage)
})

browserTest('customer: a link that is none of ours or is incomplete says what to do', async (stage) => {
  stage.expectedErrors.push(refusals)
  const { page, devstack } = stage
  await makeLink(stage)
  await page.goto(`${devstack.url}/connect#wct_forged`)
  await title(page, 'Este link não vale mais')
  await page.getByText('Peça um novo a quem enviou').waitFor()
  assert.equal(await page.locator('#open').count(), 0)
  await page.goto('about:blank')
  await page.goto(`${devstack.url}/connect`)
  await title(page, 'Este link não está completo')
  await page.getByText('Abra o link inteiro que você recebeu').waitFor()
})

browserTest('customer: a link that was used shows what came of it, and how to get another', async (stage) => {
  stage.expectedErrors.push(refusals)
  const link = await openLink(stage)
  await finishPopup(await popupOf(stage.page))
  await connected(stage)
  const again = await stage.context.newPage()
  await again.goto(link.url)
  await connected(stage, again)
  await again.getByText('Este link já foi usado. Para conectar outra conta, peça um novo a quem enviou.').waitFor()
  assert.equal(await again.locator('#open').count(), 0)
  await keepsNothing(again)
})

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

browserTest('customer: the page is reloaded in the middle, and the link opened again', async (stage) => {
  const before = await stage.devstack.exchanges()
  const link = await openLink(stage)
  const popup = await popupOf(stage.page)
  await walkTo(popup, 'business')
  await stage.page.reload()
  await title(stage.page, 'Abra de novo o link que você recebeu')
  await stage.page.goto(link.url) // changes the fragment alone
  await openButton(stage.page).waitFor()
  await keepsNothing(stage.page)
  await popup.close()
  await finishPopup(await popupOf(stage.page))
  await connected(stage)
  assert.equal(await stage.devstack.exchanges(), before + 1)
})

browserTest(
  'customer: back from Meta by the button of the browser, and on from there',
  async (stage) => {
    const link = await openLink(stage)
    await leaveForMeta(stage.page)
    await stage.page.goBack()
    // A browser that kept the page as it was goes on; one that did not has no link any more, and says so.
    await title(stage.page, 'Abra de novo o link que você recebeu')
    await keepsNothing(stage.page)
    await stage.page.goto(link.url)
    await leaveForMeta(stage.page)
    await finishFullPage(stage.page)
    await connected(stage)
  },
  iPhone,
)

browserTest(
  'customer: the browser of an app offers another, with the whole link to copy',
  async (stage) => {
    await stage.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const link = await openLink(stage)
    await stage.page.getByText('“Abrir no navegador”').waitFor()
    await accessible(stage.page, 'the hint')
    await picture(stage.page, 'customer-in-app')
    await stage.page.getByRole('button', { name: 'Copiar endereço' }).tap()
    await stage.page.getByRole('button', { name: 'Copiado' }).waitFor()
    assert.equal(await stage.page.evaluate(() => navigator.clipboard.readText()), link.url)
    await leaveForMeta(stage.page) // where it works, it works there too
    await finishFullPage(stage.page)
    await connected(stage)
  },
  instagram,
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
