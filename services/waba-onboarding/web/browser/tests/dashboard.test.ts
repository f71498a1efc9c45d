import assert from 'node:assert/strict'
import { browserTest, shareStack } from '../harness'
import { accessible, fits, focusShows, picture } from '../harness/accessible'
import { claim, connect, goTo, says, signIn } from '../harness/operator'

shareStack()

const hostile = '<img src=x onerror="document.title=\'ran\'"> Ana'

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

browserTest('dashboard: a message whose sending got no answer keeps its draft, and is not sent twice', async (stage) => {
  const { page, devstack, organization } = stage
  const { connectionId } = await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await signIn(stage, `/connections/${connectionId}`)
  await page.getByRole('textbox', { name: 'Para' }).fill('11 98765-4321')
  await page.getByRole('textbox', { name: 'Mensagem' }).fill('Seu pedido saiu.')
  await page.getByRole('button', { name: 'Enviar', exact: true }).click()
  await page.getByText('Comece com + e o código do país.').waitFor()
  await page.getByRole('textbox', { name: 'Para' }).fill('+55 11 98765-4321')
  await devstack.sim('faults', { method: 'POST', path: '/*/messages', times: 1, drop: 'after' })
  await page.getByRole('button', { name: 'Enviar', exact: true }).click()
  await says(page.getByRole('status'), 'Não sabemos se a mensagem saiu.')
  assert.equal(await page.getByRole('textbox', { name: 'Mensagem' }).inputValue(), 'Seu pedido saiu.')
  await accessible(page, 'a message whose sending got no answer')
  await picture(page, 'send-unknown-1280')
  await page.getByRole('button', { name: 'Tentar de novo' }).click()
  await says(page.getByRole('listitem'), /Seu pedido saiu\./)
  const { messages } = await devstack.api(organization, `connections/${connectionId}/messages`)
  assert.equal(messages.length, 1)
})

browserTest('dashboard: what Meta says of a message that it refused is quoted, with its code', async (stage) => {
  const { page, devstack } = stage
  stage.expectedErrors.push(/400/)
  const { connectionId } = await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  await signIn(stage, `/connections/${connectionId}`)
  await page.getByRole('textbox', { name: 'Para' }).fill('+55 11 98765-4321')
  await page.getByRole('textbox', { name: 'Mensagem' }).fill('Oi!')
  await devstack.sim('faults', { method: 'POST', path: '/*/messages', times: 1, status: 400, error: { code: 131047, message: 'Re-engagement message' } })
  await page.getByRole('button', { name: 'Enviar', exact: true }).click()
  await says(page.getByRole('alert'), /A Meta disse: .*Re-engagement message.*META_REJECTED · Meta 131047/s)
  await picture(page, 'send-refused-1280')
})

for (const [colorScheme, locale] of [['light', 'pt-BR'], ['dark', 'en-US']] as const) {
  browserTest(`dashboard: every screen is accessible, ${colorScheme}, ${locale}, down to 320 px`, async (stage) => {
    const { page, devstack, organization } = stage
    const { connectionId, phoneNumberIds } = await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
    await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', name: 'Ana', text: 'Bom dia! Tem pão quente?' })
    await signIn(stage)
    for (const path of ['/', '/connections', `/connections/${connectionId}`, '/attempts', '/events']) {
      await goTo(page, `${path}?org=${organization}`)
      for (const width of [1280, 390, 320]) {
        await page.setViewportSize({ width, height: 800 })
        await accessible(page, `${path} at ${width} px`)
        if (width === 390) await focusShows(page, `${path} at ${width} px`)
        await picture(page, `${path.replace(connectionId, 'one').replaceAll('/', '_')}-${colorScheme}-${width}`)
      }
    }
  }, { colorScheme, locale })
}

browserTest('dashboard: the list of connections stays in its card, however wide the window is', async (stage) => {
  const { page, devstack } = stage
  await claim(stage, { wabas: [{ name: 'Padaria do João, Confeitaria e Mercearia da Vila Madalena' }] })
  const { wabaId } = await claim(stage, { wabas: [{ name: 'Farmácia Central' }] })
  await devstack.sim(`wabas/${wabaId}:remove`, {})
  await signIn(stage, '/connections')
  const table = page.getByRole('table')
  await says(table.getByRole('row'), 'Reconexão necessária')
  for (const width of [1440, 1280, 1100, 1024, 900, 800, 700, 390]) {
    await page.setViewportSize({ width, height: 800 })
    await fits(page, `the list at ${width} px`)
    const beyond = await table.evaluate((t) => t.scrollWidth - t.parentElement!.clientWidth)
    assert.ok(beyond <= 0, `the list at ${width} px is ${beyond} px wider than its card`)
    await picture(page, `connections-${width}`)
  }
})

browserTest('dashboard: the first data is asked before the page itself is there, and once', async (stage) => {
  const { page, devstack, organization } = stage
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] })
  const asked: string[] = []
  page.on('request', (request) => void (request.url().includes('/api/') && asked.push(new URL(request.url()).pathname.replace('/api/v1/whatsapp/', ''))))
  const first = page.waitForRequest(/\/connections\?/)
  await page.route('**/assets/App-*.js', async (route) => {
    await first
    await route.continue()
  })
  await page.goto(`${devstack.url}/?org=${organization}#token=${devstack.operatorToken}`)
  await says(page.getByRole('main'), 'Padaria do João')
  assert.deepEqual(asked.sort(), ['changes', 'connections', 'onboardings'])
})

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
