// A system of an integrator that events are sent to.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  headers: IncomingHttpHeaders
  body: any
}

export class Receiver {
  /** What it answers from now on. */
  status = 200
  readonly received: Received[] = []

  private constructor(
    readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<Receiver> {
    let receiver: Receiver
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      receiver.received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) })
      response.writeHead(receiver.status).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const stop = async () => {
      server.closeAllConnections()
      server.close()
    }
    receiver = new Receiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, stop)
    return receiver
  }
}

/** Runs with a receiver of its own. */
export async function withReceiver(run: (receiver: Receiver) => Promise<void>): Promise<void> {
  const receiver = await Receiver.start()
  try {
    await run(receiver)
  } finally {
    await receiver.stop()
  }
}
