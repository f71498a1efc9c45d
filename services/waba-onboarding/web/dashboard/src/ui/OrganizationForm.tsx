import { Button, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { ORGANIZATION } from '../api/session'
import { useSpeech } from '../words'

// OrganizationForm names the organization to work in. It stands in the address, so that a link shows the same to others.
export default function OrganizationForm({ onDone }: { onDone?: () => void }) {
  const { words } = useSpeech()
  const { org } = useSearch({ strict: false }) as { org?: string }
  const navigate = useNavigate()
  const [id, setId] = useState(org ?? '')
  const [wrong, setWrong] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (id && !ORGANIZATION.test(id)) return setWrong(true)
    void navigate({ to: '.', search: (search: object) => ({ ...search, org: id || undefined }) } as never)
    onDone?.()
  }
  return (
    <form onSubmit={submit} style={{ display: 'grid', gap: 12, width: '100%', maxWidth: 360 }}>
      <TextInput
        label={words.shell.organization}
        description={words.shell.organizationHelp}
        error={wrong && words.shell.organizationRule}
        value={id}
        onChange={(e) => setId(e.currentTarget.value.trim())}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        data-autofocus
      />
      <Button type="submit" style={{ justifySelf: 'start' }}>
        {words.shell.show}
      </Button>
    </form>
  )
}
