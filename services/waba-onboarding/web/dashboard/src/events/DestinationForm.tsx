import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Kind } from '../api/generated'
import { createDestinationMutation } from '../api/generated/@tanstack/react-query.gen'
import { currentOrganization } from '../api/session'
import { Choice } from '../ui/Choice'
import { Dialog } from '../ui/Dialog'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './events.module.css'

const KINDS = [Kind.EVENTS, Kind.META_RAW] as const

export function DestinationForm({ onClose, onCreated }: { onClose: () => void; onCreated: (secret: string) => void }) {
  const { words } = useSpeech()
  const client = useQueryClient()
  const [url, setUrl] = useState('')
  const [kind, setKind] = useState<(typeof KINDS)[number]>(Kind.EVENTS)
  const [types, setTypes] = useState('')
  const [secret, setSecret] = useState('')
  const [everyone, setEveryone] = useState(false)
  const [wrong, setWrong] = useState(false)
  const create = useMutation({
    ...createDestinationMutation(),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['destinations'] })
      onCreated(made.secret ?? '')
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // Whether http is taken is the server's to say: it is for a private network alone.
    if (!URL.canParse(url.trim()) || !/^https?:\/\//i.test(url.trim())) return setWrong(true)
    setWrong(false)
    add()
  }
  const add = (organization?: string) => {
    const eventTypes = types.split(/[\s,]+/).filter(Boolean)
    create.mutate({
      body: { kind, url: url.trim(), eventTypes, secret: secret || undefined, allOrganizations: everyone || undefined },
      headers: organization ? { 'X-Organization-Id': organization } : undefined,
    })
  }
  return (
    <Dialog onClose={onClose} title={words.destinations.add}>
      <form onSubmit={submit} className={css.form} noValidate>
        <TextInput type="url" label={words.destinations.url} description={words.destinations.urlHelp} error={wrong && words.destinations.urlShape} value={url} onChange={(e) => setUrl(e.currentTarget.value)} placeholder="https://" autoComplete="url" data-autofocus />
        <Choice label={words.destinations.kind} value={kind} onChange={(k) => setKind(k as typeof kind)} options={KINDS.map((k) => ({ value: k, label: words.kind[k] }))} />
        <TextInput label={words.destinations.types} description={words.destinations.typesHelp} value={types} onChange={(e) => setTypes(e.currentTarget.value)} autoCapitalize="none" spellCheck={false} />
        <PasswordInput label={words.destinations.secret} description={words.destinations.secretHelp} value={secret} onChange={(e) => setSecret(e.currentTarget.value)} autoComplete="off" maxLength={128} />
        {!currentOrganization() && <Checkbox label={words.destinations.everyone} checked={everyone} onChange={(e) => setEveryone(e.currentTarget.checked)} />}
        {create.error && <Trouble error={create.error} onOrganization={add} />}
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {words.destinations.create}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
