import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, finishPopup, press, shareStack, until, walkTo, type Stage } from '../harness'

shareStack()

const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1'

const connectButton = (page: Page) => page.getByRole('button', { name: 'Conectar WhatsApp' })
const status = (page: Page) => page.getByRole('status')

async function opens(stage: Stage, path = '/tag'): Promise<Page> {
  await stage.page.goto(stage.host.origin + path)
  return popupOf(stage.page)
}

async function popupOf(page: Page): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), connectButton(page).click()])
  return popup
}

async function says(page: Page, text: string | RegExp): Promise<void> {
  await status(page).filter({ hasText: text }).waitFor()
}

/** The claim led to a connection, and the code was spent once. */
async function connected(stage: Stage, before: number, index = 0): Promise<void> {
  await says(stage.page, 'WhatsApp conectado.')
  assert.equal((await stage.onboarding(index))['state'], 'CONNECTED')
  const { connections } = await stage.devstack.api(stage.organization, 'connections')
  assert.equal(connections.length, 1)
  assert.equal(await stage.devstack.exchanges(), before + 1)
}

/** What was reported of a run, once it is there: reports are in nobody's way. */
async function reported(stage: Stage, event: string, index = 0): Promise<Record<string, any>> {
  return (await until(() => stage.onboarding(index), ({ signup }) => signup?.event === event))['signup']
}

for (const [order, more] of [
  ['session_first', {}],
  ['session_first', { asObject: true, delayMs: 300 }],
  ['code_first', {}],
  ['code_first', { delayMs: 300 }],
  ['session_never', {}],
] as const) {
  browserTest(`popup: ${order} ${JSON.stringify(more)}`, async (stage) => {
    await stage.devstack.sim('dialog', { order, ...more })
    const before = await stage.devstack.exchanges()
    const popup = await opens(stage)
    await says(stage.page, 'Continue na janela do Facebook.')
    await finishPopup(popup)
    await connected(stage, before)
    assert.equal(stage.watch.sessions.length, 1)
  })
}

browserTest('popup: the customer cancels, nothing opens by itself, and they go on', async (stage) => {
  const before = await stage.devstack.exchanges()
  const popup = await opens(stage)
  await walkTo(popup, 'verify')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'cancel')])
  await says(stage.page, 'você parou em confirmação do número')
  assert.equal((await reported(stage, 'CANCELLED'))['step'], 'PHONE_NUMBER_VERIFICATION')
  assert.equal(stage.context.pages().length, 1)
  await finishPopup(await popupOf(stage.page))
  await connected(stage, before)
})

browserTest('popup: closed by its X is no failure; closed on its last screen it counts', async (stage) => {
  const before = await stage.devstack.exchanges()
  const popup = await opens(stage)
  await walkTo(popup, 'business')
  await popup.close({ runBeforeUnload: true })
  await says(stage.page, 'Conexão não concluída.')
  assert.equal((await reported(stage, 'CANCELLED'))['step'], '')
  const second = await popupOf(stage.page)
  await walkTo(second, 'done')
  await second.close({ runBeforeUnload: true })
  await connected(stage, before)
})

browserTest('popup: finished without a code, the next click takes the whole page', async (stage) => {
  await stage.devstack.sim('dialog', { order: 'code_never' })
  const before = await stage.devstack.exchanges()
  await finishPopup(await opens(stage))
  await says(stage.page, 'não enviou a autorização')
  await connectButton(stage.page).click()
  await stage.page.waitForURL(/dialog\/oauth/)
  await walkTo(stage.page, 'login') // is there
  await walkThrough(stage.page)
  await connected(stage, before)
})

browserTest("popup: Meta's error becomes a sentence, and support gets its number", async (stage) => {
  const popup = await opens(stage)
  await stage.devstack.sim('dialog', { error: { code: '2859009' } })
  await walkTo(popup, 'failed')
  await Promise.all([popup.waitForEvent('close'), press(popup, 'report')])
  await says(stage.page, 'Ative a autenticação de dois fatores no Facebook')
  const signup = await reported(stage, 'FAILED')
  assert.equal(signup['errorCode'], '2859009')
  assert.match(signup['sessionId'], /^\d+$/)
})

browserTest('popup: blocked, so the whole page goes', async (stage) => {
  const before = await stage.devstack.exchanges()
  await stage.page.addInitScript(() => (window.open = () => null))
  await stage.page.goto(`${stage.host.origin}/tag`)
  await connectButton(stage.page).click()
  await stage.page.waitForURL(/dialog\/oauth/)
  await walkThrough(stage.page)
  await connected(stage, before)
})

browserTest('popup: a double click opens one, and spends one code', async (stage) => {
  const before = await stage.devstack.exchanges()
  await stage.page.goto(`${stage.host.origin}/tag`)
  const [popup] = await Promise.all([stage.page.waitForEvent('popup'), connectButton(stage.page).dblclick()])
  assert.equal(stage.context.pages().length, 2)
  await finishPopup(popup)
  await connected(stage, before)
})

browserTest('popup: the page is reloaded meanwhile, and what the popup says is of yesterday', async (stage) => {
  const before = await stage.devstack.exchanges()
  const popup = await opens(stage)
  await walkTo(popup, 'done')
  await stage.page.reload()
  await connectButton(stage.page).and(stage.page.locator(':enabled')).waitFor()
  await Promise.all([popup.waitForEvent('close'), popup.locator('[data-do=finish]').click()])
  assert.equal(await stage.devstack.exchanges(), before)
  await finishPopup(await popupOf(stage.page))
  await connected(stage, before, 1)
})

browserTest('popup: two tabs do not hear of one another', async (stage) => {
  const before = await stage.devstack.exchanges()
  const popup = await opens(stage)
  const other = await stage.context.newPage()
  await other.goto(`${stage.host.origin}/tag`)
  const second = await popupOf(other)
  await finishPopup(popup)
  await connected(stage, before)
  await says(other, 'Continue na janela do Facebook.')
  await Promise.all([second.waitForEvent('close'), walkTo(second, 'business').then(() => press(second, 'cancel'))])
  await says(other, 'Conexão não concluída')
  assert.equal(await stage.devstack.exchanges(), before + 1)
})

browserTest('popup: messages of strangers are nothing', async (stage) => {
  await stage.page.addInitScript(() => {
    const heard: string[] = Object.assign(window, { heard: [] }).heard
    addEventListener('message', (event) => void (JSON.stringify(event.data).includes('FORGED') && heard.push(event.origin)))
  })
  const popup = await opens(stage)
  const forged = { type: 'WA_EMBEDDED_SIGNUP', event: 'CANCEL', data: { current_step: 'FORGED' } }
  const body = `<script>opener?.postMessage(${JSON.stringify(forged)}, '*')</script>`

  const strangers = ['https://evilfacebook.com', 'https://facebook.com.evil.io', 'https://www.facebook.com.evil.io', 'https://www.facebook.com']
  for (const origin of [...strangers, 'https://opaque.example']) {
    const sandbox = { 'Content-Security-Policy': 'sandbox allow-scripts' }
    const headers = origin.includes('opaque') ? sandbox : {}
    await stage.context.route(`${origin}/**`, (route) => route.fulfill({ contentType: 'text/html', headers, body }))
    await stage.page.evaluate((url) => void window.open(url), `${origin}/`)
  }
  await stage.page.evaluate((data) => window.postMessage(data, '*'), forged)

  const heard = async (origins: string[]) => {
    const list = () => stage.page.evaluate(() => (window as unknown as { heard: string[] }).heard)
    await stage.page.waitForFunction((count) => (window as unknown as { heard: string[] }).heard.length >= count, origins.length)
    assert.deepEqual((await list()).sort(), origins.sort())
  }
  await heard([...strangers, 'null', stage.host.origin])

  // A window of the right origin, which another page opened.
  await stage.context.route('https://evil.example/**', (route) => route.fulfill({ contentType: 'text/html', body: '' }))
  const [evil] = await Promise.all([
    stage.page.waitForEvent('popup'),
    stage.page.evaluate(() => void window.open('https://evil.example/')),
  ])
  await evil.waitForURL('https://evil.example/')
  const [accomplice] = await Promise.all([
    evil.waitForEvent('popup'),
    evil.evaluate((url) => void window.open(url), `${stage.devstack.meta}/_sim/phone`),
  ])
  await accomplice.waitForURL(/_sim/)
  await accomplice.evaluate((data) => window.opener.opener.postMessage(JSON.stringify(data), '*'), forged)

  await heard([...strangers, 'null', stage.host.origin, stage.devstack.meta])
  await says(stage.page, 'Continue na janela do Facebook.')
  assert.equal((await stage.onboarding())['signup'].event, 'OPENED')

  await popup.evaluate((data) => window.opener.postMessage(JSON.stringify(data), '*'), forged)
  assert.equal((await reported(stage, 'CANCELLED'))['step'], 'FORGED', "the popup's own counts")
  for (const other of stage.context.pages()) if (other !== stage.page) await other.close() // an opaque one can not be inspected
})

browserTest('tag: one that is removed asks for nothing any more; one that is moved goes on', async (stage) => {
  const { page } = stage
  const before = await stage.devstack.exchanges()
  const asked: string[] = []
  page.on('request', (request) => request.url().endsWith('/session') && asked.push(request.url()))
  await page.clock.install()
  await page.goto(`${stage.host.origin}/tag`)
  await page.evaluate(() => document.body.append(document.querySelector('whatrack-connect')!.cloneNode()))
  await connectButton(page).and(page.locator(':enabled')).nth(1).waitFor()
  assert.equal(asked.length, 2)

  const move = () => page.evaluate(() => document.body.prepend(document.querySelector('whatrack-connect')!))
  await page.evaluate(() => document.querySelector('whatrack-connect')!.remove())
  await move()
  await page.clock.runFor(1_000) // of two that are due, fastForward calls the timer that was set first
  await page.clock.fastForward('30:00') // both sessions run out; that of the removed tag is older
  await page.waitForResponse((response) => response.url().endsWith('/session'))
  assert.equal(asked.length, 3, 'the tag that is there has another session')

  const popup = await popupOf(page)
  await move()
  await finishPopup(popup)
  await connected(stage, before, 2)
})

/** Walks the full-page dialog to its end, which leads back to the site. */
async function walkThrough(page: Page): Promise<void> {
  await walkTo(page, 'permissions')
  await press(page, 'next')
}

browserTest(
  'full page: there and back on a phone, and the address is clean',
  async (stage) => {
    const before = await stage.devstack.exchanges()
    await stage.page.goto(`${stage.host.origin}/tag`)
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await walkThrough(stage.page)
    await connected(stage, before)
    assert.equal(stage.page.url(), `${stage.host.origin}/tag`)
    await stage.page.reload()
    await connectButton(stage.page).and(stage.page.locator(':enabled')).waitFor()
    assert.equal(await stage.devstack.exchanges(), before + 1)
  },
  { userAgent: phone },
)

browserTest(
  'full page: cancelled at Meta, or left by the back button',
  async (stage) => {
    await stage.page.goto(`${stage.host.origin}/tag`)
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await walkTo(stage.page, 'business')
    await press(stage.page, 'cancel')
    await says(stage.page, 'Conexão não concluída')
    assert.equal((await stage.onboarding())['state'], 'CANCELLED')
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await stage.page.goBack()
    await connectButton(stage.page).and(stage.page.locator(':enabled')).waitFor()
  },
  { userAgent: phone },
)

browserTest(
  'full page: it comes back in another tab, which knows of no run',
  async (stage) => {
    const before = await stage.devstack.exchanges()
    await stage.page.goto(`${stage.host.origin}/tag`)
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    const dialog = stage.page.url()
    await stage.page.close()
    stage.page = await stage.context.newPage()
    await stage.page.goto(dialog)
    await walkThrough(stage.page)
    await connected(stage, before)
    assert.equal(stage.page.url(), `${stage.host.origin}/tag`)
    assert.equal(stage.watch.sessions.length, 1, 'the tag knows the address of the API')
  },
  { userAgent: phone },
)

browserTest(
  "full page: the hook takes the API's address from a session, and stores nothing",
  async (stage) => {
    const before = await stage.devstack.exchanges()
    await stage.page.goto(`${stage.host.origin}/hook`)
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await walkThrough(stage.page)
    await connected(stage, before)
    assert.equal(await stage.page.evaluate(() => sessionStorage.length + localStorage.length), 0)
  },
  { userAgent: phone },
)

browserTest(
  "full page: Meta's error is told, and the next click goes on",
  async (stage) => {
    const before = await stage.devstack.exchanges()
    await stage.page.goto(`${stage.host.origin}/tag`)
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    const { state } = stage.watch.sessions[0]!
    const error = new URLSearchParams({ error: 'server_error', error_description: 'Something went wrong.', state })
    await stage.page.goto(`${stage.devstack.url}/onboarding/callback?${error}`)
    await says(stage.page, 'O Facebook não concluiu o cadastro')
    await connectButton(stage.page).click()
    await stage.page.waitForURL(/dialog\/oauth/)
    await walkThrough(stage.page)
    await connected(stage, before, 1)
  },
  { userAgent: phone },
)

browserTest('hook: in StrictMode it starts once, and connects', async (stage) => {
  const before = await stage.devstack.exchanges()
  await finishPopup(await opens(stage, '/hook'))
  await connected(stage, before)
  assert.equal(stage.watch.sessions.length, 1)
  const { connection } = await stage.onboarding()
  assert.equal(await stage.page.locator('#connected').textContent(), connection.wabaId)
})

browserTest('hook: two accounts were shared, and the customer chooses', async (stage) => {
  const { businessId, wabaIds } = await stage.devstack.sim('signups', { wabas: 2 })
  await stage.devstack.sim('dialog', { order: 'session_never' })
  const before = await stage.devstack.exchanges()
  const popup = await opens(stage, '/hook')
  await finishPopup(popup, {
    business: (dialog) => dialog.locator(`[name=business][value="${businessId}"]`).check(),
    waba: async (dialog) => {
      for (const box of await dialog.locator('[name=waba]').all()) {
        await box.setChecked(wabaIds.includes(await box.getAttribute('value')))
      }
    },
  })
  await says(stage.page, 'Você compartilhou mais de uma conta')
  await stage.page.locator('.choice').nth(1).click()
  await connected(stage, before)
})

browserTest("adapter: Whatrack's own keys", async (stage) => {
  const popup = await opens(stage, '/adapter')
  await says(stage.page, 'pending')
  await finishPopup(popup)
  await says(stage.page, 'success')
  const { connection } = await stage.onboarding()
  assert.equal(await stage.page.locator('body').getAttribute('data-waba'), connection.wabaId)
})
