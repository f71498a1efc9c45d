import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, shareStack, until, type Stage } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, goTo, says, signIn } from '../harness/operator'
import { withReceiver } from '../harness/receiver'

shareStack()

const screen = (organization: string) => `/events?org=${organization}&tab=destinations`

async function open(stage: Stage): Promise<void> {
  await signIn(stage)
  await goTo(stage.page, screen(stage.organization))
}

/** Adds a destination on the page, and answers the secret that is shown the one time. */
async function add({ page, watch }: Stage, url: string, kind?: string): Promise<string> {
  await page.getByRole('button', { name: 'Adicionar destino' }).click()
  await page.getByRole('textbox', { name: 'Endereço' }).fill(url)
  if (kind) await page.getByRole('combobox', { name: 'Formato' }).selectOption(kind)
  await page.getByRole('button', { name: 'Adicionar', exact: true }).click()
  return keptSecret(page, watch)
}

async function keptSecret(page: Page, watch: Stage['watch']): Promise<string> {
  const dialog = page.getByRole('dialog', { name: 'Guarde o segredo agora' })
  const secret = await dialog.locator('code').innerText()
  await page.keyboard.press('Escape') // a slip loses nothing
  await dialog.getByRole('button', { name: 'Já guardei' }).click()
  await dialog.waitFor({ state: 'detached' })
  watch.keepSecret(secret)
  return secret
}

browserTest('destinations: signed events, from the address to its removal', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, watch } = stage
    await open(stage)
    const secret = await add(stage, receiver.url)
    assert.match(secret, /^whsec_/)
    await page.getByRole('heading', { name: receiver.url }).waitFor()
    await says(page.locator('article'), 'Nenhuma entrega ainda')

    await page.getByRole('button', { name: 'Testar' }).click()
    await says(page.getByRole('status'), 'Teste recebido (HTTP 200).')
    assert.equal(receiver.received[0]?.body.type, 'destination.test')
    assert.ok(receiver.received[0].headers['webhook-signature'])
    await page.getByRole('button', { name: 'Entregas' }).click()
    await says(page.getByRole('list', { name: 'Entregas' }).getByRole('listitem'), /HTTP 200.*destination\.test.*1ª vez/s)
    await picture(page, 'destinations-light-1280')

    await page.getByRole('button', { name: 'Trocar segredo' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Trocar segredo' }).click()
    assert.notEqual(await keptSecret(page, watch), secret)

    await page.getByRole('button', { name: 'Remover' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remover' }).click()
    await page.getByRole('heading', { name: 'Nenhum destino ainda' }).waitFor()
  })
})

browserTest('destinations: what the service refuses is said in the language of the page', async (stage) => {
  const { page } = stage
  stage.expectedErrors.push(/status of 400/)
  await open(stage)
  await page.getByRole('button', { name: 'Adicionar destino' }).click()
  await page.getByRole('textbox', { name: 'Endereço' }).fill('https://loja.example/eventos')
  await page.getByRole('textbox', { name: 'Tipos de evento' }).fill('tudo!')
  await page.getByLabel('Segredo').fill('curto')
  await page.getByRole('button', { name: 'Adicionar', exact: true }).click()
  const alert = page.getByRole('alert')
  await says(alert, 'secret: deve ter pelo menos 16 caractere(s)')
  await says(alert, 'eventTypes[0]: não tem o formato')
  await says(alert, 'INVALID_FIELD')
  assert.doesNotMatch(await alert.innerText(), /must|does not|\^/)
})

browserTest('destinations: Meta’s own format carries a message as Meta wrote it', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, devstack } = stage
    const { phoneNumberIds } = await claim(stage, {})
    await open(stage)
    await add(stage, receiver.url, 'META_RAW')
    await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', text: 'Oi!' })
    await until(async () => receiver.received, (list) => list.some((r) => r.body.entry[0]?.changes[0].value.messages?.[0].text.body === 'Oi!'))
    const sent = receiver.received.at(-1)!
    assert.equal(sent.body.object, 'whatsapp_business_account')
    assert.ok(sent.headers['x-hub-signature-256'])
    await page.getByRole('button', { name: 'Entregas' }).click()
    const deliveries = page.getByRole('list', { name: 'Entregas' })
    await says(deliveries.getByRole('listitem'), 'HTTP 200')
    await deliveries.getByRole('link').first().click()
    await page.getByRole('dialog', { name: 'Evento' }).waitFor()
    await says(page.getByRole('dialog'), 'Oi!')
  })
})

browserTest('destinations: a dead one says what it answered, and when it is tried again', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, devstack, organization } = stage
    receiver.status = 503
    const { connectionId, phoneNumberIds } = await claim(stage, {})
    const { secret } = await devstack.api(organization, 'destinations', { kind: 'EVENTS', url: receiver.url })
    stage.watch.keepSecret(secret)
    await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', text: 'Oi!' })
    await until(async () => receiver.received.length, (count) => count > 0)
    await open(stage)
    await says(page.locator('article'), /espera.*Última recusa:.*HTTP 503/s)
    await page.getByRole('button', { name: 'Entregas' }).click()
    await says(page.getByRole('list', { name: 'Entregas' }).getByRole('listitem'), /HTTP 503.*nova tentativa em/s)
    await accessible(page, 'a dead destination')
    await page.setViewportSize({ width: 390, height: 800 })
    await accessible(page, 'a dead destination on a phone')
    await picture(page, 'destination-dead-390')
    await page.getByRole('button', { name: 'Testar' }).click()
    await says(page.getByRole('status'), 'O teste não foi recebido: HTTP 503.')
    await goTo(page, `/connections/${connectionId}?org=${organization}`)
    await says(page.getByRole('list', { name: 'Do cliente ao seu sistema' }).getByRole('listitem'), /Entrega ao seu sistema.*O seu sistema recusou/s)
    await page.getByRole('link', { name: 'Ver destinos' }).click()
    receiver.status = 200
    await page.getByRole('button', { name: 'Desligar' }).click()
    await says(page.locator('article'), 'Desligado')
    await page.getByRole('button', { name: 'Ligar', exact: true }).click()
    await says(page.locator('article'), 'Ativo')
    await until(async () => receiver.received.filter((r) => r.body.type === 'change.messages').length, (count) => count > 1)
  })
})

browserTest('destinations: the focus goes back to where it was when a dialog closes', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, devstack, organization, watch } = stage
    const { connectionId } = await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
    watch.keepSecret((await devstack.api(organization, 'destinations', { kind: 'EVENTS', url: receiver.url })).secret)
    await open(stage)
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    const dialog = page.getByRole('dialog')
    const focused = (name: string) => until(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent), (text) => text === name)
    for (const name of ['Adicionar destino', 'Trocar segredo', 'Remover']) {
      await button(name).click()
      await dialog.waitFor()
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      await focused(name)
    }
    await button('Trocar segredo').click()
    await dialog.getByRole('button', { name: 'Trocar segredo' }).click()
    const secret = page.getByRole('dialog', { name: 'Guarde o segredo agora' })
    const shown = await secret.locator('code').innerText()
    watch.keepSecret(shown)
    await secret.getByRole('button', { name: 'Copiar segredo', exact: true }).waitFor()
    await secret.getByRole('button', { name: 'Já guardei' }).click()
    await focused('Trocar segredo')

    await goTo(page, `/connections/${connectionId}?org=${organization}`)
    await button('Mais ações').click()
    await page.getByRole('menuitem', { name: 'Desconectar…' }).click()
    await dialog.getByRole('button', { name: 'Cancelar' }).click()
    await focused('Mais ações')
    await goTo(page, `/attempts?org=${organization}`)
    await page.getByRole('row').getByRole('link').first().click()
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await focused(organization)
  })
})

browserTest('destinations: who reaches several organizations says for which one, in the dialog', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, devstack, organization, watch } = stage
    stage.expectedErrors.push(/400/)
    await signIn(stage, '/', '')
    await goTo(page, '/events?tab=destinations')
    await page.getByRole('button', { name: 'Adicionar destino' }).click()
    const dialog = page.getByRole('dialog', { name: 'Adicionar destino' })
    await dialog.getByRole('textbox', { name: 'Endereço' }).fill(receiver.url)
    await page.keyboard.press('Enter')
    await says(dialog.getByRole('alert'), 'Diga em qual quer trabalhar.')
    assert.equal(await page.locator('form form').count(), 0)
    await accessible(page, 'a destination of an organization')
    await dialog.getByRole('button', { name: 'Continuar' }).click()
    await says(dialog, 'Até 64 letras')
    await dialog.getByRole('textbox', { name: 'Organização' }).fill(organization)
    await page.keyboard.press('Enter')
    const secret = page.getByRole('dialog', { name: 'Guarde o segredo agora' })
    watch.keepSecret(await secret.locator('code').innerText())
    await secret.getByRole('button', { name: 'Já guardei' }).click()
    const { destinations } = await devstack.api(organization, 'destinations')
    assert.equal(destinations[0].url, receiver.url)
  })
})

browserTest('destinations: an address that can not be is refused in words', async (stage) => {
  const { page } = stage
  stage.expectedErrors.push(/40[03]/)
  await open(stage)
  await page.getByRole('button', { name: 'Adicionar destino' }).click()
  const url = page.getByRole('textbox', { name: 'Endereço' })
  for (const [address, sentence] of [['loja.example', 'Use um endereço completo'], ['https://10.0.0.1/hook', 'DESTINATION_NOT_ALLOWED'], ['http://8.8.8.8/hook', 'DESTINATION_NOT_ALLOWED'], [`https://loja.example/${'a'.repeat(2_100)}`, 'INVALID_FIELD']] as const) {
    await url.fill(address)
    await page.getByRole('button', { name: 'Adicionar', exact: true }).click()
    await says(page.getByRole('dialog'), sentence)
  }
  await accessible(page, 'a refused destination')
})
