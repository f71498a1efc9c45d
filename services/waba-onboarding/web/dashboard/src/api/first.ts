import { listChangesOptions, listOnboardingsOptions } from './generated/@tanstack/react-query.gen'
import { allConnections } from './lists'
import { queries } from './setup'

// What the overview asks beside all connections.
export const NEWEST = 200
export const latestChanges = listChangesOptions({ query: { pageSize: NEWEST } })
export const latestAttempts = listOnboardingsOptions({ query: { pageSize: 5 } })

// askFirst asks what a screen shows first while the screen itself is on the way. What becomes of it, the screen says.
export function askFirst(path: string) {
  if (path !== '/' && path !== '/connections') return
  void queries.prefetchQuery(allConnections)
  if (path === '/connections') return
  void queries.prefetchQuery(latestAttempts)
  void queries.prefetchQuery(latestChanges)
}
