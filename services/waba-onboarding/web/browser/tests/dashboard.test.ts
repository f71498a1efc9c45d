import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { browserTest, finishPopup, shareStack, type Stage } from '../harness'

shareStack()

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const hostile = '<img src=x onerror="document.title=\'ran\'"> Ana'

async function signIn(stage: Stage): Promise<void> {
  const { page, devstack, organization } = stage
  await page.goto(`${devstack.url}/?org=${organization}#token=${devstack.operatorToken}`)
  await page.waitForURL((url) => url.hash === '')
  await page.getByRole('heading', { level: 1 }).waitFor()
}

/** A run of the signup from the page to the connection's own page. */
async function connect(stage: Stage): Promise<void> {
  const { page } = stage
  await page.getByRole('button', { name: 'Conectar WhatsApp' }).first().click()
  const open = page.getByRole('button', { name: 'Abrir cadastro da Meta' })
  const [popup] = await Promise.all([page.waitForEvent('popup'), open.click()])
  await finishPopup(popup)
  await page.getByRole('link', { name: 'Ver a conexão' }).click()
  await page.getByRole('heading', { name: 'Linha do tempo' }).waitFor()
}

async function accessible(page: Page, where: string): Promise<void> {
  await page.evaluate(axe)
  const problems = await page.evaluate(async () => {
    const { violations } = await (window as any).axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
    return violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => n.target).join(', ')}`)
  })
  assert.deepEqual(problems, [], where)
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(overflow <= 0, `${where} is ${overflow} px too wide`)
}

/** Pictures for the README: only where they are asked for, since no two machines draw the same pixels. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png` })
}

browserTest('dashboard: from the click to the message on the page', async (stage) => {
  const { page, devstack, organization } = stage
  await signIn(stage)
  await connect(stage)
  const { connections } = await devstack.api(organization, 'connections')
  const [{ connectionId, phoneNumbers }] = connections
  const said = await devstack.sim('messages', {
    phoneNumberId: phoneNumbers[0].phoneNumberId, from: '5511987654321', name: hostile, text: `${hostile}: oi`,
  })
  assert.equal(said.delivered, true)
  await page.getByText(`${hostile}: oi`).first().waitFor()
  await page.getByText('Recebendo eventos da Meta.').first().waitFor()
  await page.getByRole('button', { name: 'Responder' }).click()
  await page.getByRole('textbox', { name: 'Mensagem' }).fill('Seu pedido saiu.')
  await page.getByRole('button', { name: 'Enviar', exact: true }).click()
  await page.getByText('Mensagem entregue à Meta.').waitFor()
  const { messages } = await devstack.api(organization, `connections/${connectionId}/messages`)
  assert.deepEqual(messages.map((m: any) => m.direction).sort(), ['INBOUND', 'OUTBOUND'])
  assert.notEqual(await page.title(), 'ran')
})

for (const [colorScheme, locale] of [['light', 'pt-BR'], ['dark', 'en-US']] as const) {
  browserTest(`dashboard: every screen is accessible, ${colorScheme}, ${locale}, down to 320 px`, async (stage) => {
    const { page, devstack, organization } = stage
    const { code, phoneNumberIds } = await devstack.sim('signups', { wabas: [{ name: 'Padaria do João' }] })
    const { connection } = await devstack.api(organization, 'claim-waba', { code })
    await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', name: 'Ana', text: 'Bom dia! Tem pão quente?' })
    stage.watch.keepSecret(code)
    await signIn(stage)
    for (const path of ['/', '/connections', `/connections/${connection.connectionId}`, '/attempts', '/events']) {
      for (const width of [1280, 390, 320]) {
        await page.setViewportSize({ width, height: 800 })
        await page.evaluate((to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')) }, `${path}?org=${organization}`)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await page.waitForLoadState('networkidle')
        await accessible(page, `${path} at ${width} px`)
        await picture(page, `${path.replace(connection.connectionId, 'one').replaceAll('/', '_')}-${colorScheme}-${width}`)
      }
    }
  }, { colorScheme, locale })
}

browserTest('dashboard: a wrong token is refused in words, and nobody is let in', async (stage) => {
  const { page, devstack } = stage
  stage.expectedErrors.push(/401/)
  await page.goto(`${devstack.url}/connections#token=wco_WRONG`)
  await page.waitForURL((url) => url.hash === '')
  await page.locator('input[type=password]').waitFor()
  await accessible(page, 'sign-in')
  await page.goto(`${devstack.url}/connect`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await accessible(page, 'the customer\'s page without a link')
})
