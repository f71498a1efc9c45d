import { hashKey, QueryClient } from '@tanstack/react-query'
import { client } from './generated/client.gen'
import { Problem } from './problem'
import { currentOrganization, currentToken, refuse } from './session'

// setUp gives every request of the generated client its token, organization and language, and every failure its Problem.
export function setUp(language: () => string) {
  client.setConfig({ baseUrl: '', credentials: 'omit', cache: 'no-store' })
  client.interceptors.request.use((request) => {
    if (currentToken()) request.headers.set('Authorization', `Bearer ${currentToken()}`)
    if (currentOrganization()) request.headers.set('X-Organization-Id', currentOrganization())
    request.headers.set('Accept-Language', language())
    return request
  })
  client.interceptors.error.use((error, response: Response | undefined, request) => {
    if (error instanceof DOMException && error.name === 'AbortError') return error
    if (response?.status === 401) refuse(request.headers.get('Authorization')?.replace('Bearer ', '') ?? '')
    return new Problem(response?.status ?? 0, error, response?.headers.get('X-Request-Id') ?? '')
  })
}

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
