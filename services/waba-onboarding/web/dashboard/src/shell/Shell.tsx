import { Button, Menu, Modal, useMantineColorScheme } from '@mantine/core'
import { Link, Outlet, useRouterState, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { signOut } from '../api/session'
import { ConnectHost } from '../connect/ConnectButton'
import { Icon, type IconName } from '../ui/Icon'
import { OrganizationForm } from '../ui/OrganizationForm'
import { Toasts } from '../ui/toast'
import { LANGUAGES, useSpeech, WORDS } from '../words'
import { Keys } from './Keys'
import css from './shell.module.css'

const PLACES = [
  { to: '/', name: 'overview', icon: 'home' },
  { to: '/connections', name: 'connections', icon: 'link' },
  { to: '/attempts', name: 'attempts', icon: 'attempts' },
  { to: '/events', name: 'events', icon: 'events' },
] as const satisfies { to: string; name: string; icon: IconName }[]

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className={css.mark}>
      <rect width="32" height="32" rx="9" />
      <path d="M9 16.5a5 5 0 0 1 5-5h2.2M23 15.5a5 5 0 0 1-5 5h-2.2" />
      <circle cx="16" cy="16" r="1.7" />
    </svg>
  )
}

// Shell is what stands around every screen.
export function Shell() {
  const { words } = useSpeech()
  const { org } = useSearch({ strict: false }) as { org?: string }
  const main = useRef<HTMLElement>(null)
  const path = useRouterState({ select: (s) => s.location.pathname })
  const first = useRef(true)
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
          <Preferences signedIn />
        </div>
      </header>
      <main ref={main} key={org} tabIndex={-1} className={css.main}>
        <Outlet />
      </main>
      <ConnectHost />
      <Toasts />
      <Keys />
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
      <Modal opened={open} onClose={() => setOpen(false)} title={words.shell.organization} closeButtonProps={{ 'aria-label': words.common.close }}>
        <OrganizationForm key={org} onDone={() => setOpen(false)} />
      </Modal>
    </>
  )
}

const SCHEMES = [['light', 'light'], ['dark', 'dark'], ['auto', 'system']] as const

// Preferences are the language, the theme and, for who is signed in, the rest of what is not about work.
export function Preferences({ signedIn }: { signedIn?: boolean }) {
  const { words, language, speak } = useSpeech()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Menu position="top-start" width={230} withinPortal>
      <Menu.Target>
        <Button variant="subtle" color="gray" leftSection={<Icon name="settings" />} className={css.preferences} aria-label={words.shell.menu}>
          <span className={css.menuWord}>{words.shell.menu}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.shell.language}</Menu.Label>
        {LANGUAGES.map((l) => (
          <Menu.Item key={l} lang={l} role="menuitemradio" aria-checked={l === language} rightSection={l === language && <Icon name="check" size={16} />} onClick={() => speak(l)}>
            {WORDS[l].language}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{words.shell.appearance}</Menu.Label>
        {SCHEMES.map(([scheme, name]) => (
          <Menu.Item key={scheme} role="menuitemradio" aria-checked={scheme === colorScheme} rightSection={scheme === colorScheme && <Icon name="check" size={16} />} onClick={() => setColorScheme(scheme)}>
            {words.shell[name]}
          </Menu.Item>
        ))}
        {signedIn && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => document.dispatchEvent(new CustomEvent('whatrack:keys'))}>{words.shell.keys}</Menu.Item>
            <Menu.Item onClick={signOut}>{words.shell.signOut}</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
