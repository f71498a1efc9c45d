import { focusManager, hashKey, QueryClient } from '@tanstack/react-query'
import { client } from './generated/client.gen'
import { Problem } from './problem'
import { accept, currentOrganization, currentToken, refuse, watchSession } from './session'

// setUp gives every request of the generated client its token, organization and language, and every failure its Problem.
export function setUp(language: () => string) {
  client.setConfig({ baseUrl: '', credentials: 'omit', cache: 'no-store', fetch: fetchInTime })
  client.interceptors.request.use((request) => {
    if (currentToken()) request.headers.set('Authorization', `Bearer ${currentToken()}`)
    if (currentOrganization()) request.headers.set('X-Organization-Id', currentOrganization())
    request.headers.set('Accept-Language', language())
    return request
  })
  client.interceptors.response.use((response, request) => {
    if (!response.ok) return response
    // A captive portal or a sign-on page says 200 too, and is no fact.
    if (!response.headers.get('Content-Type')?.startsWith('application/json')) throw new Problem(response.status, null, '')
    accept(tokenOf(request))
    return response
  })
  client.interceptors.error.use((error, response: Response | undefined, request) => {
    if (error instanceof DOMException && error.name === 'AbortError') return error
    if (response?.status === 401) refuse(tokenOf(request))
    return new Problem(response?.status ?? 0, error, response?.headers.get('X-Request-Id') ?? '')
  })
  watchSession(({ token, open }) => {
    // Screens that wait for somebody to sign in again ask for nothing meanwhile. Afterwards they ask anew.
    focusManager.setFocused(token ? undefined : false)
    // Whoever comes next sees nothing of who left.
    if (!token && !open) queries.clear()
  })
}

// Longer than the server lets anybody wait.
const PATIENCE = 35_000

// fetchInTime gives up on a server that hangs, also in the middle of an answer: what is on display would grow old unnoticed.
function fetchInTime(input: RequestInfo | URL): Promise<Response> {
  const { signal } = input as Request
  const limited = new AbortController()
  signal.addEventListener('abort', () => limited.abort(signal.reason))
  setTimeout(() => limited.abort(new DOMException('', 'TimeoutError')), PATIENCE)
  return fetch(input, { signal: limited.signal })
}

const tokenOf = (request: Request) => request.headers.get('Authorization')?.replace('Bearer ', '') ?? ''

// Each organization has its own answers: the key of a query alone does not name it.
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      queryKeyHashFn: (key) => `${currentOrganization()} ${hashKey(key)}`,
      retry: (count, error) => count < 2 && error instanceof Problem && error.passing,
      staleTime: 2_000,
      gcTime: 5 * 60_000,
    },
    mutations: { retry: false },
  },
})

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: Problem
  }
}
