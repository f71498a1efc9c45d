import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, shareStack, until } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, registered, says, signIn, throughPopup } from '../harness/operator'

shareStack()

const numbers = (page: Page) => page.getByRole('region', { name: 'Números' })

browserTest('numbers: one with a PIN of its own is registered with it', async (stage) => {
  const { page } = stage
  const { connectionId } = await claim(stage, { wabas: [{ name: 'Padaria do João', phones: [{ pin: '481516' }] }] })
  await until(async () => (await stage.devstack.api(stage.organization, `connections/${connectionId}`)).phoneNumbers[0].registration, (r) => r === 'PIN_REQUIRED')
  await signIn(stage, `/connections/${connectionId}`)
  await says(numbers(page), 'PIN necessário')
  await page.getByRole('button', { name: 'Registrar número' }).click()
  const dialog = page.getByRole('dialog')
  const pin = dialog.getByLabel('PIN de 6 dígitos')
  await accessible(page, 'the PIN')
  await pin.fill('12x34')
  assert.equal(await pin.inputValue(), '1234')
  await dialog.getByRole('button', { name: 'Registrar' }).click()
  await says(dialog, 'O PIN tem 6 dígitos.')
  stage.watch.keepSecret('481516')
  await pin.fill('481516')
  await picture(page, 'pin-1280')
  await dialog.getByRole('button', { name: 'Registrar' }).click()
  await dialog.waitFor({ state: 'detached' })
  await says(numbers(page), 'Registrado')
  assert.equal(await numbers(page).getByText('Pendente').count(), 0)
  await says(page.getByRole('list', { name: 'Do cliente ao seu sistema' }).getByRole('listitem'), /Número na Meta.*em ordem/s)
})

browserTest('numbers: an account is disconnected, and connected again in the page', async (stage) => {
  const { page, devstack, organization } = stage
  const claimed = await claim(stage, { wabas: [{ name: 'Padaria do João' }], businessName: 'Padaria do João Ltda' })
  await registered(stage, claimed)
  await signIn(stage, `/connections/${claimed.connectionId}`)
  await page.getByRole('button', { name: 'Mais ações' }).click()
  await page.getByRole('menuitem', { name: 'Desconectar…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Desconectar esta conta?' })
  const confirm = dialog.getByRole('button', { name: 'Desconectar' })
  await dialog.getByRole('textbox').fill('padaria')
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByRole('textbox').fill('padaria do joão')
  await confirm.click()
  await says(page.getByRole('status'), /^Desconectada em \d\d\/\d\d\/\d{4}\. O histórico fica\.$/)
  assert.equal(await page.getByRole('textbox', { name: 'Mensagem' }).count(), 0)
  assert.equal(await page.getByRole('button', { name: 'Mais ações' }).count(), 0)
  await picture(page, 'disconnected-1280')

  await page.getByRole('button', { name: 'Conectar novamente' }).click()
  await throughPopup(page)
  const { connections } = await devstack.api(organization, 'connections')
  assert.ok(connections.some((c: any) => c.state === 'CONNECTED'))
})

browserTest('numbers: a number of the app shows how far its contacts and chats are', async (stage) => {
  const { page, devstack } = stage
  await devstack.sim('behavior', { delayMs: 1_500, sync: { contacts: 3, chunks: 3, messages: 2 } })
  const { connectionId } = await claim(stage, { flow: 'coexistence', wabas: [{ name: 'Padaria do João' }] })
  await signIn(stage, `/connections/${connectionId}`)
  await says(numbers(page), 'Também no aplicativo WhatsApp Business')
  await says(numbers(page), /Conversas.*(pedida à Meta|chegando)/s)
  await until(() => numbers(page).innerText(), (text) => /Conversas\s+chegando · \d+%/.test(text))
  await picture(page, 'sync-1280')
  assert.equal(await page.getByText(/O último em \d/).count(), 0) // nothing is of the future
  await says(numbers(page), /Contatos\s*chegando · 3 recebidos/) // an address book has no end
  await says(numbers(page), /Conversas\s*completa · 100% · 6 recebidos/)
  await page.getByRole('button', { name: 'Mais ações' }).click()
  await page.getByRole('menuitem', { name: 'Verificar agora' }).waitFor()
  assert.equal(await page.getByRole('menuitem', { name: /Registrar/ }).count(), 0)
  await page.keyboard.press('Escape')
  await devstack.sim('behavior', {})
})
