import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, shareStack, until, type Stage } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, goTo, says, signIn } from '../harness/operator'

shareStack()

const api = /\/api\/v1\/whatsapp\//
const expired = { status: 401, json: { code: 16, message: 'no valid token', details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'UNAUTHENTICATED', domain: 'whatrack.com' }] } }

async function giveToken(page: Page, token: string): Promise<void> {
  await page.locator('input[name=token]').fill(token)
  await page.keyboard.press('Enter')
}

browserTest('session: a token that ends in mid-session is asked for again, and nothing is lost', async (stage) => {
  const { page, devstack, organization } = stage
  stage.expectedErrors.push(/401/)
  const { connectionId } = await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await page.clock.install()
  await signIn(stage)
  await goTo(page, `/connections/${connectionId}?org=${organization}&about=access`)
  await page.getByRole('textbox', { name: 'Mensagem' }).fill('Seu pedido sai às 15 h')
  await page.getByRole('button', { name: 'Mais ações' }).click()
  await page.getByRole('menuitem', { name: 'Desconectar…' }).click()
  await page.getByRole('textbox', { name: /digite/ }).fill('Padaria')

  await page.route(api, (route) => route.fulfill(expired))
  await page.clock.runFor(15_000)
  const again = page.getByRole('dialog', { name: 'Entre de novo para continuar' })
  await again.waitFor()
  await accessible(page, 'signing in again')
  await picture(page, 'sign-in-again-1280')
  let asked = 0
  page.on('request', (request) => { if (api.test(request.url())) asked++ })
  await page.keyboard.press('Escape')
  await giveToken(page, 'wco_STILL_WRONG')
  await says(again.getByRole('alert'), 'A chave não foi aceita')
  await page.unroute(api)
  const before = asked
  await page.clock.runFor(60_000) // nothing asks meanwhile
  assert.equal(asked, before)
  await giveToken(page, devstack.operatorToken)
  await again.waitFor({ state: 'detached' })

  assert.equal(await page.getByRole('textbox', { name: /digite/ }).inputValue(), 'Padaria')
  await page.keyboard.press('Escape')
  assert.equal(await page.getByRole('textbox', { name: 'Mensagem' }).inputValue(), 'Seu pedido sai às 15 h')
  assert.match(page.url(), new RegExp(`/connections/${connectionId}\\?.*about=access`))
  await page.getByRole('heading', { name: 'Padaria do João' }).waitFor()
})

browserTest('session: who signs out leaves nothing for whoever comes next', async (stage) => {
  const { page, devstack } = stage
  stage.expectedErrors.push(/401/)
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await signIn(stage, '/connections')
  await page.getByRole('link', { name: 'Padaria do João' }).waitFor()
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitem', { name: 'Sair' }).click()
  await page.getByRole('heading', { name: 'Entrar' }).waitFor()
  await page.route(api, () => {}) // the next one's answers take their time
  await giveToken(page, devstack.operatorToken)
  await page.getByText('Carregando…').first().waitFor({ state: 'attached' })
  assert.equal(await page.getByText('Padaria do João').count(), 0)
})

browserTest('session: a screen keeps its place over a reload, and goes back', async (stage) => {
  const { page, devstack, organization } = stage
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await claim(stage, { wabas: [{ name: 'Farmácia Central' }] })
  await signIn(stage, '/connections')
  await page.getByRole('searchbox').fill('padaria joao')
  await says(page.getByRole('status'), '1 conexão')
  await page.getByRole('link', { name: /^Conectadas/ }).click()
  await page.getByRole('link', { name: 'Padaria do João' }).click()
  await page.getByRole('heading', { name: 'Padaria do João' }).waitFor()
  await page.goBack()
  await says(page.getByRole('status'), '1 conexão')
  assert.equal(await page.getByRole('searchbox').inputValue(), 'padaria joao')
  await page.reload()
  await giveToken(page, devstack.operatorToken)
  await page.getByRole('link', { name: 'Padaria do João' }).waitFor()
  assert.equal(await page.getByRole('searchbox').inputValue(), 'padaria joao')
  assert.equal(await page.getByRole('link', { name: /^Conectadas/ }).getAttribute('aria-current'), 'page')
  assert.equal(await page.getByRole('link', { name: 'Farmácia Central' }).count(), 0)
  assert.equal(new URL(page.url()).searchParams.get('org'), organization)
})

browserTest('session: what could not be read again stays, with its age', async (stage) => {
  const { page } = stage
  stage.expectedErrors.push(/Failed to load resource|ERR_FAILED/)
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await page.clock.install()
  await signIn(stage, '/connections')
  await page.getByRole('link', { name: 'Padaria do João' }).waitFor()
  await page.route(api, (route) => route.abort())
  await page.clock.fastForward('05:00')
  await page.clock.runFor(10_000) // it is tried more than once
  await says(page.getByRole('status'), /Não foi possível atualizar\. O que você vê é de \d\d:\d\d\..*NO_ANSWER.*há 5 min/s)
  await page.getByRole('link', { name: 'Padaria do João' }).waitFor()
  await accessible(page, 'facts of before')
  await page.unroute(api)
  await page.getByRole('button', { name: 'Tentar de novo' }).click()
  await page.getByText('Não foi possível atualizar').waitFor({ state: 'detached' })
})

browserTest('session: a page that something before the service answers with is no fact', async (stage) => {
  const { page } = stage
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await page.clock.install()
  await signIn(stage, '/connections')
  await page.getByRole('link', { name: 'Padaria do João' }).waitFor()
  await page.route(api, (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<title>Sign on</title>' }))
  await page.clock.runFor(20_000)
  await says(page.getByRole('status'), /Não foi possível atualizar\..*NOT_OURS/s)
  await page.getByRole('link', { name: 'Padaria do João' }).click()
  await says(page.getByRole('alert'), /A resposta não veio deste serviço\..*NOT_OURS/s)
  await page.getByRole('heading', { level: 1, name: 'Conexão' }).waitFor()
  await page.evaluate(() => { history.pushState({}, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate')) })
  await page.getByRole('heading', { level: 1, name: 'Esta página não existe.' }).waitFor()
})

browserTest('session: a server that hangs is noticed, and its failure stays on display while it is asked again', async (stage) => {
  const { page } = stage
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await page.clock.install()
  await page.route(api, () => {})
  await signIn(stage, '/connections')
  let asked = 0
  page.on('request', (request) => { if (api.test(request.url())) asked++ })
  await until(async () => { await page.clock.runFor(20_000); return page.getByRole('alert').count() }, (count) => count > 0)
  await says(page.getByRole('alert'), /O servidor não respondeu\..*NO_ANSWER/s)
  const before = asked
  await until(async () => { await page.clock.runFor(20_000); return asked }, (count) => count > before)
  assert.equal(await page.getByRole('alert').count(), 1)
})

browserTest('session: a caller of several organizations sees all, or one at a time', async (stage) => {
  const { page, organization } = stage
  const other = `${organization}-b`
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await claim(stage, { wabas: [{ name: 'Farmácia Central' }] }, other)
  const bakery = page.getByRole('link', { name: 'Padaria do João' })
  const pharmacy = page.getByRole('link', { name: 'Farmácia Central' })
  await signIn(stage, '/connections', '')
  await bakery.first().waitFor()
  await pharmacy.first().waitFor()
  await choose(stage, other)
  await pharmacy.waitFor()
  assert.equal(await bakery.count(), 0)
  await page.getByRole('navigation', { name: 'Principal' }).getByRole('link', { name: 'Tentativas' }).click()
  await page.getByRole('link', { name: other }).waitFor()
  assert.equal(await page.getByRole('link', { name: organization, exact: true }).count(), 0)
  await page.goBack()
  await page.goBack()
  await bakery.first().waitFor()
  await choose(stage, 'no spaces!', 'Até 64 letras')
})

async function choose({ page }: Stage, organization: string, refusal?: string): Promise<void> {
  await page.getByRole('button', { name: /^Organização/ }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Organização' }).fill(organization)
  await page.getByRole('button', { name: 'Mostrar' }).click()
  if (refusal) return says(page.getByRole('dialog'), refusal)
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}
