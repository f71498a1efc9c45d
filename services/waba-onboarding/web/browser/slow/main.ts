// Measures, on a slow phone, how long the pages take until they are of use: `npm run slow`. It judges nothing, since a
// figure of one machine says nothing of another; quiet machines measure best.
import { loadavg } from 'node:os'
import type { BrowserContext, Page, Request } from 'playwright-core'
import { launchChromium } from '../harness/chromium'
import { Devstack } from '../harness/devstack'

const phone = {
  userAgent: 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/153.0.0.0 Mobile Safari/537.36',
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  locale: 'pt-BR',
}
const runs = Number(process.env['RUNS'] ?? 5)
const customerName = 'Padaria do João'

/** A fourth of the processor, and the "slow 4G" of Lighthouse. */
async function slow(context: BrowserContext, page: Page): Promise<void> {
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: (1.6 * 1024 * 1024) / 8,
    uploadThroughput: (750 * 1024) / 8,
  })
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 })
}

interface Figures {
  paint: number
  useful: number
  requests: number
  kilobytes: number
}

/** Opens an address, and answers when something was painted and when `useful` came true, in ms since the click. */
async function measure(page: Page, url: string, useful: (name: string) => number | false): Promise<Figures> {
  let requests = 0
  let bytes = 0
  const counts = async (request: Request) => {
    requests++
    bytes += Math.max(0, (await request.sizes().catch(() => undefined))?.responseBodySize ?? 0)
  }
  page.on('requestfinished', counts)
  await page.goto(url, { waitUntil: 'commit' })
  const handle = await page.waitForFunction(useful, customerName, { polling: 'raf', timeout: 60_000 })
  const at = (await handle.jsonValue()) as number
  const painted = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
  const paint = (await painted.jsonValue()) ?? 0
  page.off('requestfinished', counts)
  return { paint, useful: at, requests, kilobytes: bytes / 1024 }
}

// Each runs in the page, and answers the time once it is true.
const button = () => document.querySelector('#open:not(:disabled)') !== null && performance.now()
const data = (name: string) => document.querySelector('main')?.textContent?.includes(name) === true && performance.now()

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

const devstack = await Devstack.start('http://127.0.0.1:1', ['/'])
const chromium = await launchChromium()
try {
  const organization = 'org-slow'
  const { code } = await devstack.sim('signups', { wabas: [{ name: customerName }] })
  await devstack.api(organization, 'claim-waba', { code })
  const link = async () => `${devstack.url}/connect#${(await devstack.api('org-links', 'onboardings', {}))['clientToken']}`
  const dashboard = async () => `${devstack.url}/?org=${organization}#token=${devstack.operatorToken}`
  console.log(`load ${loadavg()[0]?.toFixed(2)}; the median of ${runs}; CPU / 4, 1.6 Mbit/s down, 750 kbit/s up, 150 ms`)
  for (const [name, address, useful] of [["the customer's page: its button", link, button], ['the dashboard: its first data', dashboard, data]] as const) {
    const cold: Figures[] = []
    const warm: Figures[] = []
    for (let i = 0; i < runs; i++) {
      const context = await chromium.browser.newContext(phone)
      for (const figures of [cold, warm]) {
        const page = await context.newPage()
        await slow(context, page)
        figures.push(await measure(page, await address(), useful))
        await page.close()
      }
      await context.close()
    }
    for (const [visit, figures] of [['first visit', cold], ['next visit', warm]] as const) {
      const of = (key: keyof Figures) => Math.round(median(figures.map((f) => f[key])))
      console.log(`${name}, ${visit}: ${of('useful')} ms (paint ${of('paint')} ms, ${of('requests')} requests, ${of('kilobytes')} KB)`)
    }
  }
} finally {
  await chromium.close()
  await devstack.stop()
}
