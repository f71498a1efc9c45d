import { listChangesOptions, listOnboardingsOptions } from '../api/generated/@tanstack/react-query.gen'

// What the overview asks, beside all connections. Of its own, so that it can be asked before the overview is loaded.
export const NEWEST = 200
export const latestChanges = listChangesOptions({ query: { pageSize: NEWEST } })
export const latestAttempts = listOnboardingsOptions({ query: { pageSize: 5 } })
