import { Button } from '@mantine/core'
import { lazy, Suspense, useSyncExternalStore } from 'react'
import { Icon } from '../ui/Icon'
import { useSpeech } from '../words'
import type { Run, Way } from './run'

const ConnectDialog = lazy(() => import('./ConnectDialog'))

// The run that is open, if one is. It is not the button's: the button of an empty list goes away with the first connection.
let run: Run | undefined
const listeners = new Set<() => void>()

function open(next: Run | undefined) {
  run = next
  for (const tell of listeners) tell()
}

const subscribe = (tell: () => void) => {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

// ConnectHost shows the signup over whatever screen is there.
export function ConnectHost() {
  const current = useSyncExternalStore(subscribe, () => run)
  if (!current) return null
  return (
    <Suspense fallback={null}>
      <ConnectDialog run={current} onClose={() => open(undefined)} />
    </Suspense>
  )
}

type Props = Partial<Run> & { filled?: boolean; label?: string }

// ConnectButton opens the signup. filled: it is the one thing to do here. way: which of the two is on display first.
export function ConnectButton({ filled = true, label, way = 'here', organization, name }: Props) {
  const { words } = useSpeech()
  const icon = ICONS[way]
  return (
    <Button variant={filled ? 'filled' : 'default'} leftSection={(!label || way === 'link') && <Icon name={icon} size={17} />} onClick={() => open({ way, organization, name })}>
      {label ?? words.connections.connect}
    </Button>
  )
}

const ICONS = { here: 'plus', link: 'link' } as const satisfies Record<Way, string>
