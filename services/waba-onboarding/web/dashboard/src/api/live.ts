import { useQuery } from '@tanstack/react-query'
import { allConnections, allDestinations } from './lists'

// The lists, read again while a screen shows them.
export const useConnections = () => useQuery({ ...allConnections, refetchInterval: 15_000 })
export const useDestinations = () => useQuery({ ...allDestinations, refetchInterval: 30_000 })
