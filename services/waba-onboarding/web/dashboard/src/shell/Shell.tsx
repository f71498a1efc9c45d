import { Link, Outlet, useRouterState, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { ConnectHost } from '../connect/ConnectButton'
import { Icon, type IconName } from '../ui/Icon'
import { Toasts } from '../ui/toast'
import { useSpeech } from '../words'
import { Mark } from './Mark'
import { PreferencesButton } from './PreferencesButton'
import css from './shell.module.css'

// Nothing of these is seen before somebody asks for it: they come after the first screen.
const Keys = lazy(() => import('./Keys'))
const OrganizationDialog = lazy(() => import('./OrganizationDialog'))
const Preferences = lazy(() => import('./Preferences'))

const PLACES = [
  { to: '/', name: 'overview', icon: 'home' },
  { to: '/connections', name: 'connections', icon: 'link' },
  { to: '/attempts', name: 'attempts', icon: 'attempts' },
  { to: '/events', name: 'events', icon: 'events' },
] as const satisfies { to: string; name: string; icon: IconName }[]

// Shell is what stands around every screen.
export function Shell() {
  const { words } = useSpeech()
  const { org } = useSearch({ strict: false }) as { org?: string }
  const main = useRef<HTMLElement>(null)
  const path = useRouterState({ select: (s) => s.location.pathname })
  const first = useRef(true)
  useEffect(() => {
    void import('./SignIn') // the service that ends a session may be a newer one, which has no such file any more
  }, [])
  useEffect(() => {
    const place = PLACES.find((p) => (p.to === '/' ? path === '/' : path.startsWith(p.to)))
    document.title = place ? `${words.nav[place.name]} · ${words.product}` : words.product
  }, [path, words])
  useEffect(() => {
    // A new screen is read from its beginning. At the first one the focus stays where the browser put it.
    if (!first.current) main.current?.focus({ preventScroll: true })
    first.current = false
    window.scrollTo(0, 0)
  }, [path])
  return (
    <div className={css.shell}>
      <button type="button" className={css.skip} onClick={() => main.current?.focus()}>
        {words.shell.skip}
      </button>
      <header className={css.side}>
        <Link to="/" className={css.brand} aria-label={words.product}>
          <Mark />
          <span>{words.product}</span>
        </Link>
        <nav aria-label={words.shell.main} className={css.nav}>
          {PLACES.map((p) => (
            <Link key={p.to} to={p.to} className={css.place} activeOptions={{ exact: p.to === '/', includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
              <Icon name={p.icon} size={20} />
              {words.nav[p.name]}
            </Link>
          ))}
        </nav>
        <div className={css.foot}>
          <Organization />
          <PreferencesMenu />
        </div>
      </header>
      <main ref={main} key={org} tabIndex={-1} className={css.main}>
        <Outlet />
      </main>
      <ConnectHost />
      <Toasts />
      <Suspense fallback={null}>
        <Keys />
      </Suspense>
    </div>
  )
}

function Organization() {
  const { words } = useSpeech()
  const { org } = useSearch({ strict: false }) as { org?: string }
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" className={css.organization} onClick={() => setOpen(true)}>
        <small>{words.shell.organization}</small>
        <span>{org ?? words.shell.allOrganizations}</span>
      </button>
      <Suspense fallback={null}>
        <OrganizationDialog open={open} onClose={() => setOpen(false)} />
      </Suspense>
    </>
  )
}

// PreferencesMenu opens as soon as it is loaded, if it was asked for before.
function PreferencesMenu() {
  const [asked, ask] = useState(false)
  return (
    <Suspense fallback={<PreferencesButton onClick={() => ask(true)} />}>
      <Preferences signedIn opened={asked} />
    </Suspense>
  )
}
