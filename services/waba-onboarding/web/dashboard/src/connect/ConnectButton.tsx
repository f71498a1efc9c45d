import { Button } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { Icon } from '../ui/Icon'
import { useSpeech } from '../words'

const ConnectDialog = lazy(() => import('./ConnectDialog'))

// ConnectButton opens the signup. filled: it is the one thing to do here. organization: whose account it will be.
export function ConnectButton({ filled = true, label, organization }: { filled?: boolean; label?: string; organization?: string }) {
  const { words } = useSpeech()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button variant={filled ? 'filled' : 'default'} leftSection={label ? undefined : <Icon name="plus" size={17} />} onClick={() => setOpen(true)}>
        {label ?? words.connections.connect}
      </Button>
      {open && (
        <Suspense fallback={null}>
          <ConnectDialog organization={organization} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
