import { useState } from 'react'
import { listMessages, type Connection, type Message } from '../api/generated'
import { usePages } from '../api/pages'
import { phone } from '../format'
import { Badge, messageTone } from '../ui/Badge'
import { Icon } from '../ui/Icon'
import { More } from '../ui/More'
import { Foreign, Panel } from '../ui/parts'
import { Ago } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './connection.module.css'
import { SendBox } from './SendBox'

export function Messages({ connection }: { connection: Connection }) {
  const { words } = useSpeech()
  const [to, setTo] = useState('')
  const id = connection.connectionId ?? ''
  const query = usePages({
    key: ['messages', id],
    every: 5_000,
    read: (pageToken, signal) => listMessages({ path: { connectionId: id }, query: { pageSize: 20, pageToken }, signal, throwOnError: true }),
  })
  return (
    <Panel title={words.connection.messages}>
      {connection.state !== 'DISCONNECTED' && connection.state !== 'CLAIMING' && <SendBox connection={connection} to={to} onTo={setTo} />}
      <Answered query={query}>
        {({ pages }) => {
          const messages = pages.flatMap((p) => p.messages ?? [])
          if (messages.length === 0) return <p className="muted">{words.messages.none}</p>
          return (
            <ol className={css.messages}>
              {messages.map((m) => (
                <OneMessage key={m.messageId} message={m} onReply={connection.state === 'DISCONNECTED' ? undefined : setTo} />
              ))}
            </ol>
          )
        }}
      </Answered>
      <More of={query} mt="sm" />
    </Panel>
  )
}

function OneMessage({ message: m, onReply }: { message: Message; onReply?: (phone: string) => void }) {
  const { words } = useSpeech()
  const inbound = m.direction === 'INBOUND'
  const state = (m.state ?? 'RECEIVED') as keyof typeof words.message
  const direction = (m.direction ?? 'INBOUND') as keyof typeof words.direction
  const contact = phone(m.contactPhone) || m.contactUserId || ''
  return (
    <li data-inbound={inbound}>
      <div className={css.messageHead}>
        <Icon name={inbound ? 'in' : 'out'} size={15} />
        <span>
          {m.contactName && (
            <strong>
              <Foreign short>{m.contactName}</Foreign>
            </strong>
          )}{' '}
          <span className="muted numeric">{contact}</span>
        </span>
        <span className={`muted ${css.messageTime}`}>
          <Ago time={m.messageTime} />
        </span>
      </div>
      <p className={css.text}>{m.text ? <Foreign>{m.text}</Foreign> : <span className="muted">{m.revoked ? words.messages.deleted : words.messages.kind(m.type ?? '')}</span>}</p>
      <div className={css.messageFoot}>
        <span className="muted">{words.direction[direction]}</span>
        {m.editTime && !m.revoked && <span className="muted">{words.messages.edited}</span>}
        {!inbound && m.state !== 'RECEIVED' && <Badge tone={messageTone[m.state ?? 'STATE_UNSPECIFIED']}>{words.message[state]}</Badge>}
        {m.error && (
          <q className="muted">
            <Foreign>{m.error}</Foreign>
          </q>
        )}
        {inbound && m.contactPhone && onReply && (
          <button type="button" className={css.reply} onClick={() => onReply(phone(m.contactPhone))}>
            {words.messages.reply}
          </button>
        )}
      </div>
    </li>
  )
}
