import { ActionIcon, Button, Menu, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { Connection } from '../api/generated'
import type { Link } from '../chain'
import { Dialog } from '../ui/Dialog'
import { Icon } from '../ui/Icon'
import { Trouble } from '../ui/Trouble'
import { visible } from '../ui/parts'
import { useSpeech } from '../words'
import css from './connection.module.css'
import { useCheck, useDisconnect, useSubscribe } from './mutations'
import { RegisterDialog } from './RegisterDialog'

// Actions are what can be done besides mending the first fault.
export function Actions({ connection, fault }: { connection: Connection; fault?: Link }) {
  const { words } = useSpeech()
  const [dialog, open] = useState<'' | 'register' | 'disconnect'>('')
  const id = connection.connectionId ?? ''
  const check = useCheck(id)
  const subscribe = useSubscribe(id)
  const request = { path: { connectionId: id }, body: {} }
  const error = check.error ?? subscribe.error
  if (connection.state === 'DISCONNECTED') return null
  const registers = connection.phoneNumbers?.some((n) => !n.coexistence)
  return (
    <>
      {fault && fault.mend !== 'check' && (
        <Button variant="default" loading={check.isPending} onClick={() => check.mutate(request)}>
          {words.mend.check}
        </Button>
      )}
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={words.connection.actions} loading={subscribe.isPending}>
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => check.mutate(request)}>{words.mend.check}</Menu.Item>
          <Menu.Item onClick={() => subscribe.mutate(request)}>{words.mend.subscribe}</Menu.Item>
          {registers && <Menu.Item onClick={() => open('register')}>{words.mend.register}…</Menu.Item>}
          <Menu.Divider />
          <Menu.Item className={css.danger} onClick={() => open('disconnect')}>
            {words.connection.disconnect}…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {error && (
        <div className={css.full}>
          <Trouble error={error} />
        </div>
      )}
      {dialog === 'register' && <RegisterDialog connection={connection} onClose={() => open('')} />}
      {dialog === 'disconnect' && <DisconnectDialog connection={connection} onClose={() => open('')} />}
    </>
  )
}

// DisconnectDialog asks for the name to be typed: what it does can not be undone without the customer.
function DisconnectDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { words } = useSpeech()
  const [typed, setTyped] = useState('')
  const id = connection.connectionId ?? ''
  const disconnect = useDisconnect(id)
  const word = visible(connection.name || connection.wabaId || '')
  const same = typed.trim().normalize().toLowerCase() === word.trim().normalize().toLowerCase()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (same) disconnect.mutate({ path: { connectionId: id }, body: {} }, { onSuccess: onClose })
  }
  return (
    <Dialog onClose={onClose} title={words.connection.disconnectTitle}>
      <form onSubmit={submit} className={css.form}>
        <p>{words.connection.disconnectLead}</p>
        <TextInput label={<bdi>{words.connection.disconnectType(word)}</bdi>} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" spellCheck={false} data-autofocus />
        {disconnect.error && <Trouble error={disconnect.error} />}
        <div className={css.formActions}>
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" color="red" disabled={!same} loading={disconnect.isPending}>
            {words.connection.disconnect}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
