// An integrator's web site: its pages carry the kit, and its back end starts onboardings with the bearer token.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Devstack } from './devstack'
import type { Host } from './index'

export class Site implements Host {
  readonly pages = ['/tag', '/hook', '/adapter']
  #devstack: Devstack | undefined

  private constructor(
    readonly origin: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<Site> {
    let site: Site
    const server = createServer((request, response) => {
      site.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const stop = async () => {
      server.closeAllConnections()
      server.close()
    }
    site = new Site(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop)
    return site
  }

  async serve(devstack: Devstack): Promise<void> {
    this.#devstack = devstack
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.origin)
    if (pathname === '/session' && request.method === 'POST') return this.#session(request, response)
    if (pathname === '/hook.js') {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(readFileSync('.build/pages/hook.js'))
    } else if (this.pages.includes(pathname)) {
      response.writeHead(200, this.#headers()).end(this.#page(pathname))
    } else {
      response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end()
    }
  }

  /** StartOnboarding for whoever is signed in: the token stays here. */
  async #session(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const organization = /shop=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    if (!organization || !this.#devstack) {
      response.writeHead(401).end()
      return
    }
    const returnUrl = this.origin + new URL(request.headers.referer ?? '', this.origin).pathname
    const session = await this.#devstack.api(organization, 'onboardings', { returnUrl })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(session))
  }

  /** The kit works under a policy as strict as this one. */
  #headers(): Record<string, string> {
    const { url, meta } = this.#devstack ?? { url: '', meta: '' }
    return {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; script-src 'self' ${url} ${meta}; connect-src 'self' ${url}; base-uri 'none'`,
      'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
    }
  }

  #page(path: string): string {
    const body =
      path === '/tag'
        ? `<whatrack-connect session-url="/session"></whatrack-connect><script src="${this.#devstack?.url}/connect.js"></script>`
        : `<div id="root"></div><script type="module" src="/hook.js"></script>`
    return `<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Loja</title><body>${body}</body></html>`
  }
}
