import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, shareStack, until, type Devstack, type Stage } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, registered, says, signIn } from '../harness/operator'

shareStack()

const shared = (page: Page) => page.getByRole('textbox', { name: /Link de conexão|Connection link/ })

/** The customer who got the link: what a browser does with the token of it. */
async function customerOf(stage: Stage): Promise<(path: string, body?: object) => Promise<any>> {
  const { page, devstack } = stage
  const url = new URL(await shared(page).inputValue())
  assert.equal(url.origin + url.pathname, `${devstack.url}/connect`)
  await until(async () => stage.watch.sessions.length, (count) => count > 0)
  const { clientToken, onboardingId } = stage.watch.sessions.at(-1)!
  assert.equal(url.hash, `#${clientToken}`)
  return (path, body) => call(devstack, clientToken, path.replace('ID', onboardingId), body)
}

async function call({ url }: Devstack, token: string, path: string, body?: object): Promise<any> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const response = await fetch(`${url}/api/v1/whatsapp/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.ok(response.ok, `${path} answered ${response.status}`)
  return response.json()
}

/** The link is on the screen and nowhere else that outlives it. */
async function nowhereElse(page: Page): Promise<void> {
  const token = new URL(await shared(page).inputValue()).hash.slice(1)
  const kept = await page.evaluate(() => JSON.stringify([location.href, history.state, { ...sessionStorage }, { ...localStorage }, document.title, document.cookie]))
  assert.ok(token.startsWith('wct_') && !kept.includes(token), kept)
}

browserTest('connect link: from Attempts to the connection, followed live', async (stage) => {
  const { page, context, devstack } = stage
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await signIn(stage, '/attempts')
  await page.getByRole('button', { name: 'Copiar link de conexão' }).click()
  const customer = await customerOf(stage)
  await nowhereElse(page)
  await says(page.getByRole('dialog'), /Vale uma vez, até as \d\d:\d\d \(em (29|30) min\)/)
  await page.getByRole('button', { name: 'Copiar link', exact: true }).click()
  const address = await shared(page).inputValue()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address)
  const share = await page.getByRole('link', { name: 'WhatsApp', exact: true }).getAttribute('href')
  assert.ok(new URL(share!).searchParams.get('text')?.endsWith(address), share!)
  const mail = await page.getByRole('link', { name: 'E-mail' }).getAttribute('href')
  assert.ok(new URLSearchParams(mail!.split('?')[1]).get('body')?.endsWith(address), mail!)
  await says(page.getByRole('status'), 'Esperando o cliente abrir o link.')

  await customer('onboardings/ID:report', { event: 'OPENED' })
  await says(page.getByRole('status'), 'O cliente abriu a janela da Meta.')
  await customer('onboardings/ID:report', { event: 'CANCELLED', step: 'PHONE_NUMBER_VERIFICATION' })
  await says(page.getByRole('status'), 'O cliente fechou a janela da Meta em: confirmação do número.')
  const { code } = await devstack.sim('signups', { wabas: [{ name: 'Padaria do João' }] })
  await customer('claim-waba', { code })
  await page.getByRole('heading', { name: 'Conectado' }).waitFor()
  await page.getByRole('link', { name: 'Ver a conexão' }).click()
  await page.getByRole('heading', { name: 'Padaria do João' }).waitFor()
})

browserTest('connect link: two ways of equal rank, and what was begun in one is kept', async (stage) => {
  const { page } = stage
  await signIn(stage, '/connections')
  await page.getByRole('button', { name: 'Conectar WhatsApp' }).first().click()
  await page.getByRole('button', { name: 'Abrir cadastro da Meta' }).waitFor()
  await page.getByRole('button', { name: 'Enviar link ao cliente' }).click()
  const address = await shared(page).inputValue()
  await page.getByRole('button', { name: 'Conectar aqui' }).click()
  await page.getByRole('button', { name: 'Abrir cadastro da Meta' }).waitFor()
  await page.getByRole('button', { name: 'Enviar link ao cliente' }).click()
  assert.equal(await shared(page).inputValue(), address)
  await page.getByRole('button', { name: 'Fechar' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

browserTest('connect link: an expired one is said to be, and another is one tap away', async (stage) => {
  const { page } = stage
  await page.clock.install()
  await signIn(stage, '/connections')
  await page.getByRole('button', { name: 'Enviar link', exact: true }).click()
  const first = await shared(page).inputValue()
  await page.clock.fastForward('30:01')
  await says(page.getByRole('status'), 'Este link não vale mais.')
  assert.equal(await shared(page).count(), 0)
  await page.clock.setSystemTime(new Date())
  await page.getByRole('button', { name: 'Criar outro link' }).click()
  assert.notEqual(await shared(page).inputValue(), first)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

browserTest('connect link: an account that needs its customer is reconnected by one', async (stage) => {
  const { page, devstack, organization } = stage
  const claimed = await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  const { connectionId, wabaId } = claimed
  await registered(stage, claimed)
  await devstack.sim(`tokens/${wabaId}:invalidate`, { subcode: 460 })
  await devstack.api(organization, `connections/${connectionId}:check`, {})
  await signIn(stage, `/connections/${connectionId}`)
  await says(page.locator('main'), 'Reconexão necessária')
  await page.getByRole('button', { name: 'Enviar link de reconexão' }).click()
  const customer = await customerOf(stage)
  const share = await page.getByRole('link', { name: 'WhatsApp', exact: true }).getAttribute('href')
  assert.match(new URL(share!).searchParams.get('text')!, /reconectar o WhatsApp de Padaria do João/)
  const { code } = await devstack.sim('signups', { wabaIds: [wabaId] })
  await customer('claim-waba', { code })
  await page.getByRole('heading', { name: 'Conectado' }).waitFor()
  await page.getByRole('link', { name: 'Ver a conexão' }).click()
  await says(page.locator('main header'), /^Padaria do João.*Conectado/)
})

browserTest('connect link: a caller of several organizations says for which one it is', async (stage) => {
  const { page, devstack, organization } = stage
  await signIn(stage, '/attempts', '')
  await page.getByRole('button', { name: 'Copiar link de conexão' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Para qual organização?' }).fill(organization)
  await dialog.getByRole('button', { name: 'Continuar' }).click()
  await says(dialog, `Organização: ${organization}`)
  const customer = await customerOf(stage)
  await customer('onboardings/ID:report', { event: 'OPENED' })
  await says(page.getByRole('status'), 'O cliente abriu a janela da Meta.')
  await page.keyboard.press('Escape')
  const { onboardings } = await devstack.api(organization, 'onboardings')
  assert.equal(onboardings.length, 1)
})

for (const [colorScheme, locale, width] of [['light', 'pt-BR', 1280], ['dark', 'en-US', 390], ['light', 'en-US', 320]] as const) {
  browserTest(`connect link: the sheet is accessible, ${colorScheme}, ${locale}, ${width} px`, async (stage) => {
    const { page } = stage
    await signIn(stage, '/attempts')
    await page.getByRole('button', { name: /Copiar link de conexão|Copy connection link/ }).click()
    await shared(page).waitFor()
    await picture(page, `link-${colorScheme}-${width}`)
    await page.getByRole('button', { name: 'QR code' }).click()
    await page.getByRole('img', { name: /QR code/ }).waitFor()
    await picture(page, `link-qr-${colorScheme}-${width}`)
    await accessible(page, 'the link')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }, { colorScheme, locale, viewport: { width, height: 800 } })
}
