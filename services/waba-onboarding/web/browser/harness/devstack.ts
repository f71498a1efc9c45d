// Starts the devstack on free ports, with a data folder of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../../../../../..', import.meta.url).pathname // of .build/tests
const patience = 60_000

/** Takes ports that are free now, all at once so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  for (let i = 0; i < count; i++) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

/** Everything runs: the address of waba-onboarding, that of the simulated Meta, and the operator's bearer token. */
export class Devstack {
  private constructor(
    readonly url: string,
    readonly meta: string,
    readonly operatorToken: string,
    readonly stop: () => Promise<void>,
  ) {}

  /** Pages of the origin may call the API, and the full-page signup may lead back to its pages. */
  static async start(origin: string, pages: string[]): Promise<Devstack> {
    const data = mkdtempSync(join(tmpdir(), 'whatrack-devstack-'))
    const listen = (await freePorts(6)).map((port) => `127.0.0.1:${port}`)
    const [http = '', meta = '', grpc = '', admin = '', brokerGRPC = '', brokerAdmin = ''] = listen
    const flags = {
      data,
      'http-listen': http,
      'graphsim-listen': meta,
      'grpc-listen': grpc,
      'admin-listen': admin,
      'broker-grpc-listen': brokerGRPC,
      'broker-admin-listen': brokerAdmin,
      'log-level': 'warn',
      'allowed-origins': origin,
      'allowed-redirect-uris': pages.map((page) => origin + page).join(),
    }
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
    const child = spawn(join(root, '.bin/devstack'), args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const said: string[] = []
    child.stderr.on('data', (bytes: Buffer) => said.push(bytes.toString()))
    const stop = async () => {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(data, { recursive: true, force: true })
    }
    try {
      await untilReady(child, `http://${admin}/readyz`)
      const token = readFileSync(join(data, 'operator-token'), 'utf8').trim()
      return new Devstack(`http://${http}`, `http://${meta}`, token, stop)
    } catch (error) {
      await stop()
      throw new Error(`the devstack does not start: ${String(error)}\n${said.join('')}`)
    }
  }

  /** Calls the API as the operator, for an organization. */
  async api(organization: string, path: string, body?: object): Promise<Record<string, any>> {
    const response = await fetch(`${this.url}/api/v1/whatsapp/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        Authorization: `Bearer ${this.operatorToken}`,
        'X-Organization-Id': organization,
        'Content-Type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Record<string, any>
  }

  /** Calls graphsim's control plane. */
  async sim(path: string, body?: object): Promise<any> {
    const response = await fetch(`${this.meta}/_sim/${path}`, {
      method: body ? 'POST' : 'GET',
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`_sim/${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }

  /** How many codes were spent, as the simulated Meta saw it. */
  async exchanges(): Promise<number> {
    const requests = (await this.sim('requests')) as { path: string; parameters: Record<string, string> }[]
    return requests.filter((r) => r.path.endsWith('/oauth/access_token') && 'code' in r.parameters).length
  }
}

/** Waits for a program that was started to answer. */
export async function untilReady(child: ChildProcess, url: string): Promise<void> {
  for (const start = Date.now(); Date.now() - start < patience; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    const ready = await fetch(url).catch(() => undefined)
    if (ready?.ok) return
    await new Promise((resume) => setTimeout(resume, 50))
  }
  throw new Error('it is not ready after a minute')
}
