import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Connection } from '../api/generated'
import type { Mend } from '../chain'
import { ConnectButton } from '../connect/ConnectButton'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './connection.module.css'
import { RegisterDialog } from './RegisterDialog'
import { useCheck, useSubscribe } from './mutations'

type Props = { connection: Connection; mend: Mend; filled: boolean; hidden?: boolean }

// MendButton does what mends a link: the only filled button of the page where something is broken.
export function MendButton({ connection, mend, filled, hidden }: Props) {
  const { words } = useSpeech()
  const [registering, setRegistering] = useState(false)
  const id = connection.connectionId ?? ''
  const check = useCheck(id)
  const subscribe = useSubscribe(id)
  const variant = filled ? 'filled' : 'default'
  if (hidden) return null
  const ask = mend === 'subscribe' ? subscribe : check
  return (
    <div className={css.mend}>
      {mend === 'reconnect' && <Reconnect connection={connection} filled={filled} />}
      {mend === 'destinations' && (
        <Button variant={variant} renderRoot={(props) => <Link to="/events" search={{ tab: 'destinations' }} {...props} />}>
          {words.mend.destinations}
        </Button>
      )}
      {mend === 'register' && (
        <Button variant={variant} onClick={() => setRegistering(true)}>
          {words.mend.register}
        </Button>
      )}
      {(mend === 'check' || mend === 'subscribe') && (
        <Button variant={variant} loading={ask.isPending} onClick={() => ask.mutate({ path: { connectionId: id }, body: {} })}>
          {words.mend[mend]}
        </Button>
      )}
      {registering && <RegisterDialog connection={connection} onClose={() => setRegistering(false)} />}
      {ask.error && <Trouble error={ask.error} />}
    </div>
  )
}

// Reconnect begins with the link: only the customer can reconnect, and seldom sits here. Who disconnected an account may
// well have the customer beside them.
function Reconnect({ connection, filled }: { connection: Connection; filled: boolean }) {
  const { words } = useSpeech()
  const gone = connection.state === 'DISCONNECTED'
  const label = gone ? words.mend.reconnect : words.connect.sendReconnectLink
  return <ConnectButton filled={filled} label={label} way={gone ? 'here' : 'link'} organization={connection.organizationId} name={connection.name || connection.phoneNumbers?.[0]?.displayPhoneNumber || connection.wabaId} />
}
