import type { Session } from './types.js'

/** Asks a route of the page's own back end for a session. */
export function postForSession(url: string): () => Promise<Session> {
  return async () => {
    const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    return (await response.json()) as Session
  }
}
