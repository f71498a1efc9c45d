import { Button, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type KeyboardEvent } from 'react'
import { ORGANIZATION } from '../api/session'
import { useSpeech } from '../words'

// OrganizationForm names the organization to work in. It stands in the address, so that a link shows the same to others;
// with onNamed it is of one request alone, which needs one. It is no <form>, since it stands in others' forms.
export default function OrganizationForm({ onDone, onNamed }: { onDone?: () => void; onNamed?: (id: string) => void }) {
  const { words } = useSpeech()
  const { org } = useSearch({ strict: false }) as { org?: string }
  const navigate = useNavigate()
  const [id, setId] = useState(org ?? '')
  const [wrong, setWrong] = useState(false)
  const submit = () => {
    if ((id || onNamed) && !ORGANIZATION.test(id)) return setWrong(true)
    if (onNamed) onNamed(id)
    else void navigate({ to: '.', search: (search: object) => ({ ...search, org: id || undefined }) } as never)
    onDone?.()
  }
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault() // the form around it is not what is sent
    submit()
  }
  return (
    <div style={{ display: 'grid', gap: 12, width: '100%', maxWidth: 360 }}>
      <TextInput
        label={words.shell.organization}
        description={onNamed ? words.shell.organizationOne : words.shell.organizationHelp}
        error={wrong && words.shell.organizationRule}
        value={id}
        onKeyDown={submitByKey}
        onChange={(e) => setId(e.currentTarget.value.trim())}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        data-autofocus
      />
      <Button style={{ justifySelf: 'start' }} onClick={submit}>
        {onNamed ? words.connect.next : words.shell.show}
      </Button>
    </div>
  )
}
