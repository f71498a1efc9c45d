// The example of the kit in Next.js, built and served as an integrator does.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { freePorts, untilReady, type Devstack } from './devstack'
import type { Host } from './index'

const example = new URL('../../../kit/examples/nextjs', import.meta.url).pathname // of .build/tests
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }

export async function startNext(): Promise<Host> {
  const [port] = await freePorts(1)
  const origin = `http://127.0.0.1:${port}`
  let stop = async () => {}
  const serve = async (devstack: Devstack) => {
    install()
    run('npx', ['next', 'build'])
    const child = spawn('npx', ['next', 'start', '--hostname', '127.0.0.1', '--port', String(port)], {
      cwd: example,
      env: { ...env, CONNECT_URL: devstack.url, CONNECT_TOKEN: devstack.operatorToken },
      stdio: 'ignore',
      detached: true, // a group of its own, since npx does not pass on that it is to stop
    })
    stop = async () => {
      if (child.exitCode !== null || child.pid === undefined) return
      process.kill(-child.pid, 'SIGTERM')
      await once(child, 'exit')
    }
    await untilReady(child, `${origin}/whatsapp`)
  }
  return { origin, pages: ['/whatsapp'], serve, stop: () => stop() }
}

/** Installs what the lockfile says, unless it is there; and the kit as it is built now. */
function install(): void {
  if (!isInstalled()) run('npm', ['ci', '--ignore-scripts'])
  cpSync(`${example}/../../dist`, `${example}/node_modules/@whatrack/connect/dist`, { recursive: true })
}

function isInstalled(): boolean {
  const installed = `${example}/node_modules/next/package.json`
  if (!existsSync(installed)) return false
  const { version } = JSON.parse(readFileSync(installed, 'utf8')) as { version: string }
  const wanted = JSON.parse(readFileSync(`${example}/package.json`, 'utf8')) as { dependencies: { next: string } }
  return version === wanted.dependencies.next
}

function run(command: string, args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: example, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
}
