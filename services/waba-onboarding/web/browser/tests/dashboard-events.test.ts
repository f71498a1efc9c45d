import assert from 'node:assert/strict'
import { browserTest, shareStack, until, type Stage } from '../harness'
import { accessible, picture } from '../harness/accessible'
import { claim, goTo, says, signIn } from '../harness/operator'
import { withReceiver, type Receiver } from '../harness/receiver'

shareStack()

const texts = (receiver: Receiver) => receiver.received.flatMap((r) => r.body.data?.valueJson ? [JSON.parse(r.body.data.valueJson).messages?.[0]?.text.body] : [])

/** Messages that came in, and went on to a system; and what else Meta told. */
async function received(stage: Stage, receiver: Receiver, ...bodies: string[]): Promise<void> {
  const { devstack, organization, watch } = stage
  const { phoneNumberIds } = await claim(stage, {})
  const { secret } = await devstack.api(organization, 'destinations', { kind: 'EVENTS', url: receiver.url, eventTypes: ['change.messages'] })
  watch.keepSecret(secret)
  for (const text of bodies) await devstack.sim('messages', { phoneNumberId: phoneNumberIds[0], from: '5511987654321', text })
  await until(async () => texts(receiver), (list) => list.length === bodies.length)
}

browserTest('events: one is replayed, and goes out again', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, organization } = stage
    await received(stage, receiver, 'Tem pão?')
    await signIn(stage)
    await goTo(page, `/events?org=${organization}`)
    await page.getByRole('link', { name: 'messages' }).click()
    const drawer = page.getByRole('dialog', { name: 'Evento' })
    await says(drawer.locator('pre'), '"body": "Tem pão?"')
    assert.match(page.url(), /[?&]id=[0-9a-f-]{36}/)
    await accessible(page, 'one event')
    await drawer.getByRole('button', { name: 'Reprocessar' }).click()
    await says(page.getByRole('status'), '1 evento reprocessado.')
    assert.deepEqual(await until(async () => texts(receiver), (list) => list.length > 1), ['Tem pão?', 'Tem pão?'])
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
    assert.doesNotMatch(page.url(), /[?&]id=/)
  })
})

browserTest('events: a type that can be none is said to be so, and filters nothing', async (stage) => {
  const { page, organization } = stage
  await claim(stage, {})
  await signIn(stage)
  await goTo(page, `/events?org=${organization}&field=account_update`)
  const type = page.getByRole('searchbox', { name: 'Tipo' })
  await type.fill('não existe!')
  await page.keyboard.press('Enter')
  await says(page.getByRole('search'), 'Só letras, números e sublinhados.')
  assert.equal(new URL(page.url()).searchParams.get('field'), 'account_update')
  await accessible(page, 'a type that can be none')
  await type.fill('Messages')
  await page.keyboard.press('Enter')
  await page.waitForURL(/field=messages/)
})

browserTest('events: what a filter found is replayed after its count was said, oldest first', async (stage) => {
  await withReceiver(async (receiver) => {
    const { page, organization } = stage
    const bodies = ['um', 'dois', 'três']
    await received(stage, receiver, ...bodies)
    await signIn(stage)
    await goTo(page, `/events?org=${organization}`)
    await page.getByRole('row').filter({ hasText: 'account_update' }).first().waitFor()
    assert.equal(await page.getByRole('button', { name: /^Reprocessar/ }).count(), 0)
    await page.getByRole('searchbox', { name: 'Tipo' }).fill('messages')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Reprocessar estes 3…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Reprocessar 3 eventos?' })
    await picture(page, 'replay-1280')
    await dialog.getByRole('button', { name: 'Cancelar' }).click()
    assert.equal(receiver.received.length, 3)
    await page.getByRole('button', { name: 'Reprocessar estes 3…' }).click()
    await dialog.getByRole('button', { name: 'Reprocessar' }).click()
    await says(page.getByRole('status'), '3 eventos reprocessados.')
    assert.deepEqual(await until(async () => texts(receiver), (list) => list.length === 6), [...bodies, ...bodies])
    await page.getByRole('link', { name: 'Aguardando conexão' }).click()
    await page.getByRole('heading', { name: 'Nenhum evento com estes filtros.' }).waitFor()
    await page.getByRole('button', { name: 'Limpar filtros' }).click()
    await page.getByRole('row').filter({ hasText: 'account_update' }).first().waitFor()
  })
})
