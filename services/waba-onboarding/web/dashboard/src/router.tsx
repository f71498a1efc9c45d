import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, retainSearchParams } from '@tanstack/react-router'
import { askFirst } from './api/first'
import { currentOrganization, nameOrganization, ORGANIZATION } from './api/session'
import { Overview } from './overview/Overview'
import { Shell } from './shell/Shell'
import { PageHead } from './ui/parts'
import { useSpeech } from './words'

// text reads a search parameter, which the router may take for a number.
const text = (value: unknown, pattern: RegExp): string | undefined => {
  const s = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
  return pattern.test(s) ? s : undefined
}

const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const UUID = /^[0-9a-f-]{36}$/
const FREE = /^[^\n]{1,100}$/

function NotFound() {
  const { words } = useSpeech()
  return (
    <PageHead title={words.shell.notFound}>
      <Link to="/">{words.shell.toOverview}</Link>
    </PageHead>
  )
}

type Root = { org?: string }

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: (s: Record<string, unknown>): Root => ({ org: text(s.org, ORGANIZATION) }),
  search: { middlewares: [retainSearchParams(['org'])] },
  beforeLoad: ({ search }) => {
    if (search.org !== currentOrganization()) nameOrganization(search.org ?? '')
  },
})

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  loader: () => askFirst('/'),
  component: Overview, // not lazy: mostly it is what is seen first
})

const connections = createRoute({
  getParentRoute: () => root,
  path: '/connections',
  validateSearch: (s: Record<string, unknown>): { state?: string; q?: string } => ({ state: text(s.state, NAME), q: text(s.q, FREE) }),
  loader: () => askFirst('/connections'),
  component: lazyRouteComponent(() => import('./connections/Connections')),
})

const connection = createRoute({
  getParentRoute: () => root,
  path: '/connections/$connectionId',
  validateSearch: (s: Record<string, unknown>): { about?: string } => ({ about: text(s.about, NAME) }),
  component: lazyRouteComponent(() => import('./connection/ConnectionPage')),
})

const attempts = createRoute({
  getParentRoute: () => root,
  path: '/attempts',
  validateSearch: (s: Record<string, unknown>): { state?: string; id?: string } => ({ state: text(s.state, NAME), id: text(s.id, UUID) }),
  component: lazyRouteComponent(() => import('./attempts/Attempts')),
})

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: (s: Record<string, unknown>): { tab?: string; state?: string; field?: string; connection?: string; id?: string } => ({
    tab: text(s.tab, NAME), state: text(s.state, NAME), field: text(s.field, /^[a-z0-9_]{1,64}$/), connection: text(s.connection, UUID), id: text(s.id, UUID),
  }),
  component: lazyRouteComponent(() => import('./events/Events')),
})

export const router = createRouter({
  routeTree: root.addChildren([overview, connections, connection, attempts, events]),
  defaultPreload: 'intent',
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
