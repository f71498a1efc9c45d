import assert from 'node:assert/strict'
import { browserTest, press, shareStack, walkTo, type Stage } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, goTo, says, signIn } from '../harness/operator'

shareStack()

/** Opens Meta's window from the dashboard. */
async function openMeta({ page }: Stage) {
  await page.getByRole('button', { name: 'Conectar WhatsApp' }).first().click()
  const open = page.getByRole('button', { name: 'Abrir cadastro da Meta' })
  const [popup] = await Promise.all([page.waitForEvent('popup'), open.click()])
  return popup
}

async function toAttempts({ page, organization }: Stage) {
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await goTo(page, `/attempts?org=${organization}`)
}

browserTest('attempts: a cancelled one says at which step of Meta’s it stopped', async (stage) => {
  const { page, organization } = stage
  await signIn(stage)
  const popup = await openMeta(stage)
  await walkTo(popup, 'verify')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'cancel')])
  await says(page.getByRole('dialog'), 'você parou em confirmação do número')
  await page.getByRole('button', { name: 'Abrir cadastro da Meta' }).and(page.locator(':enabled')).waitFor() // it could be opened again
  await toAttempts(stage)
  assert.equal(await page.getByRole('row').count(), 2, 'a heading and one attempt')
  const row = page.getByRole('row').filter({ hasText: 'Fechou a janela da Meta: confirmação do número' })
  await says(row, /Cancelada.*Chrome · Linux/s)
  await row.getByRole('link', { name: organization }).click()
  const drawer = page.getByRole('dialog', { name: 'Tentativa' })
  await says(drawer, /Fechou a janela da Meta.*Parou em.*confirmação do número.*Nenhum ainda/s)
  await accessible(page, 'a cancelled attempt')
  await picture(page, 'attempt-cancelled-1280')
  await page.setViewportSize({ width: 390, height: 800 })
  await accessible(page, 'a cancelled attempt on a phone')
  await picture(page, 'attempt-cancelled-390')
  await drawer.getByRole('button', { name: 'Enviar link' }).click()
  const sheet = page.getByRole('dialog', { name: 'Conectar WhatsApp' })
  await sheet.getByRole('textbox', { name: 'Link de conexão' }).waitFor()
  await page.keyboard.press('Escape')
  await sheet.waitFor({ state: 'detached' })
})

browserTest('attempts: Meta’s own error is quoted with its number and session', async (stage) => {
  const { page, devstack, organization } = stage
  await signIn(stage)
  const popup = await openMeta(stage)
  await devstack.sim('dialog', { error: { code: '2859009' } })
  await walkTo(popup, 'failed')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'report')])
  await says(page.getByRole('dialog'), 'Ative a autenticação de dois fatores no Facebook')
  await toAttempts(stage)
  await page.getByRole('row').filter({ hasText: 'A Meta mostrou um erro' }).getByRole('link', { name: organization }).click()
  const drawer = page.getByRole('dialog', { name: 'Tentativa' })
  await says(drawer, /A Meta mostrou um erro.*2859009.*Sessão na Meta\s*\d+/s)
})

browserTest('attempts: one that failed says its reason, and which step', async (stage) => {
  const { page, devstack, organization } = stage
  await signIn(stage)
  await claim(stage, { wabas: [{ name: 'Padaria do João' }] }, `${organization}-other`).then(async ({ wabaId }) => {
    const { code } = await devstack.sim('signups', { wabaIds: [wabaId] })
    stage.watch.keepSecret(code)
    await devstack.api(organization, 'claim-waba', { code })
  })
  await goTo(page, `/attempts?org=${organization}`)
  await says(page.getByRole('row'), /Não concluída.*Reservar a conta/s)
  await page.getByRole('link', { name: organization }).click()
  const drawer = page.getByRole('dialog', { name: 'Tentativa' })
  await says(drawer, /WABA_CLAIMED_ELSEWHERE/)
  await says(drawer.getByRole('listitem'), /Reservar a conta.*falhou/s)
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'Cancelada' }).click()
  await page.getByRole('heading', { name: 'Nenhuma tentativa nesta situação.' }).waitFor()
})
