import { Button } from '@mantine/core'
import { lazy, Suspense, useSyncExternalStore } from 'react'
import { Icon } from '../ui/Icon'
import { useSpeech } from '../words'

const ConnectDialog = lazy(() => import('./ConnectDialog'))

type Run = { organization?: string }

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
      <ConnectDialog organization={current.organization} onClose={() => open(undefined)} />
    </Suspense>
  )
}

// ConnectButton opens the signup. filled: it is the one thing to do here. organization: whose account it will be.
export function ConnectButton({ filled = true, label, organization }: { filled?: boolean; label?: string; organization?: string }) {
  const { words } = useSpeech()
  return (
    <Button variant={filled ? 'filled' : 'default'} leftSection={label ? undefined : <Icon name="plus" size={17} />} onClick={() => open({ organization })}>
      {label ?? words.connections.connect}
    </Button>
  )
}
