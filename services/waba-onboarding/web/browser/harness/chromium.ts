// Finds a Chromium: the one of CHROME_PATH, an installed one, the one of npm, or as root the distribution's.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

// For a closed network. No default of @sparticuz/chromium: they switch web security off.
const flags = ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--no-first-run']

const installed = [
  'google-chrome',
  'google-chrome-stable',
  'chromium',
  'chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

export interface Launched {
  browser: Browser
  close: () => Promise<void>
}

export async function launchChromium(): Promise<Launched> {
  const folder = mkdtempSync(join(tmpdir(), 'whatrack-chromium-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const browser = await chromium.launch({ executablePath: await find(folder), args: flags })
    const close = async () => {
      await browser.close()
      remove()
    }
    return { browser, close }
  } catch (error) {
    remove()
    throw error
  }
}

async function find(folder: string): Promise<string> {
  const told = process.env['CHROME_PATH']
  if (told) return told
  const found = installed.find(runs) ?? (await unpack(folder)) ?? aptInstall()
  if (found) return found
  throw new Error('no Chromium: install Google Chrome or Chromium, or say where one is: CHROME_PATH=/path/to/chrome')
}

/** A name alone says little: some distributions have a script there that asks for a package. */
function runs(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Unpacks npm's Chromium, which is for linux-x64, into a folder of our own: it looks for itself in TMPDIR. */
async function unpack(folder: string): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    const path = await packed.executablePath()
    return runs(path) ? path : undefined
  } catch (error) {
    console.error(`npm's Chromium does not unpack: ${String(error)}`)
    return undefined
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

function aptInstall(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  spawnSync('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { stdio: 'inherit' })
  return runs('chromium') ? 'chromium' : undefined
}
