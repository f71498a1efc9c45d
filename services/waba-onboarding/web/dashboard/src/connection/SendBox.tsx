import { Button, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import type { Connection } from '../api/generated'
import { sendMessageMutation } from '../api/generated/@tanstack/react-query.gen'
import { Problem } from '../api/problem'
import { Choice } from '../ui/Choice'
import { Icon } from '../ui/Icon'
import { announce } from '../ui/toast'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './connection.module.css'

type Draft = { phoneNumberId: string; to: string; body: string }

// NATIONAL is as many digits as a number without the code of its country has: sent as they are, they reach another country.
const NATIONAL = 11

const NONE = { draft: '', requestId: '' }

// SendBox sends a text. A draft keeps its request id until it surely went out, is changed, or Meta refused it for good:
// however often it is tried, it is sent once.
export function SendBox({ connection, to, onTo }: { connection: Connection; to: string; onTo: (to: string) => void }) {
  const { words } = useSpeech()
  const numbers = connection.phoneNumbers ?? []
  const [from, setFrom] = useState(numbers[0]?.phoneNumberId ?? '')
  const [body, setBody] = useState('')
  const [wrong, setWrong] = useState<'' | 'to' | 'body'>('')
  const [sent, remember] = useState(NONE)
  const client = useQueryClient()
  const send = useMutation(sendMessageMutation())
  const receiver = to.replace(/[^\d]/g, '')
  const draft: Draft = { phoneNumberId: from, to: receiver, body: body.trim() }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!/^\d{5,20}$/.test(receiver) || (receiver.length <= NATIONAL && !to.trim().startsWith('+'))) return setWrong('to')
    if (!draft.body) return setWrong('body')
    setWrong('')
    const attempt = sent.draft === JSON.stringify(draft) ? sent : { draft: JSON.stringify(draft), requestId: crypto.randomUUID() }
    remember(attempt)
    send.mutate(
      { path: { connectionId: connection.connectionId ?? '' }, body: { requestId: attempt.requestId, to: receiver, phoneNumberId: numbers.length > 1 ? from : undefined, text: { body: draft.body } } },
      {
        onSuccess: ({ state }) => {
          if (state === 'UNKNOWN') return
          remember(NONE)
          if (state === 'FAILED') return
          setBody('')
          announce(words.messages.sent)
        },
        onError: (error: unknown) => {
          if (error instanceof Problem && error.metadata.requestIdSpent) remember(NONE)
        },
        onSettled: () => void client.invalidateQueries({ queryKey: ['messages'] }),
      },
    )
  }
  const failure: unknown = send.error
  const same = sent.draft === JSON.stringify(draft)
  const unsure = same && (send.data?.state === 'UNKNOWN' || (failure instanceof Problem && failure.passing))
  return (
    <form onSubmit={submit} className={css.send}>
      <div className={css.sendTo}>
        {numbers.length > 1 && (
          <Choice label={words.messages.from} value={from} onChange={setFrom} options={numbers.map((n) => ({ value: n.phoneNumberId ?? '', label: n.displayPhoneNumber ?? '' }))} />
        )}
        <TextInput label={words.messages.to} value={to} onChange={(e) => onTo(e.currentTarget.value)} error={wrong === 'to' && words.messages.toShape} inputMode="tel" autoComplete="off" maxLength={30} />
      </div>
      <Textarea label={words.messages.text} placeholder={words.messages.placeholder} value={body} onChange={(e) => setBody(e.currentTarget.value)} error={wrong === 'body' && words.messages.empty} rows={2} maxLength={4096} />
      {send.error && <Trouble error={send.error} />}
      <p role="status" className={css.unsure}>
        {unsure && !send.isPending && words.messages.unsure}
        {send.data?.state === 'FAILED' && words.messages.refused}
      </p>
      <div className={css.sendFoot}>
        <span className="muted">{words.messages.window}</span>
        <Button type="submit" variant="default" loading={send.isPending} leftSection={<Icon name="send" size={16} />}>
          {send.error || unsure ? words.messages.again : words.messages.send}
        </Button>
      </div>
    </form>
  )
}
