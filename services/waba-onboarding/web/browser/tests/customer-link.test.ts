import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, finishPopup, shareStack, walkTo } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { connected, finishFullPage, iPhone, keepsNothing, leaveForMeta, makeLink, openButton, openLink, popupOf, refusals, title } from '../harness/customer'

shareStack()

const instagram = { ...iPhone, userAgent: `${iPhone.userAgent} Instagram 350.0` }

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
  await page.getByRole('alert').getByText('Não foi possível preparar a conexão. Tentando de novo…').waitFor()
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
