import type { Connection, PhoneNumber, SyncPart } from '../api/generated'
import { limit } from '../format'
import { Badge, type Tone } from '../ui/Badge'
import { Foreign, Id, Panel, Row, Rows } from '../ui/parts'
import { useSpeech } from '../words'
import { reasonWords } from '../words/reasons'
import css from './connection.module.css'

export function Numbers({ connection }: { connection: Connection }) {
  const { words } = useSpeech()
  const list = connection.phoneNumbers ?? []
  return (
    <Panel title={words.connection.numbers}>
      {list.length === 0 && <p className="muted">{words.connection.noNumbers}</p>}
      <ul className={css.numbers}>
        {list.map((n) => (
          <li key={n.phoneNumberId}>
            <OneNumber number={n} live={connection.state !== 'DISCONNECTED'} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

// A number is pending at Meta until it is registered: our registration says more of it, and is newer where it is done.
const REGISTRATION_TONES: Record<string, Tone> = { REGISTERED: 'ok', PENDING: 'busy', WAITING_FOR_META: 'warn', PIN_REQUIRED: 'warn', FAILED: 'broken' }

const STATUS_TONES: Record<string, Tone> = { CONNECTED: 'ok', PENDING: 'warn', FLAGGED: 'warn', RATE_LIMITED: 'warn' }

function OneNumber({ number: n, live }: { number: PhoneNumber; live: boolean }) {
  const { words, language } = useSpeech()
  const status = n.status ?? ''
  const quality = n.qualityRating ?? ''
  const name = n.nameStatus ?? ''
  const registration = n.registration as keyof typeof words.registration | undefined
  const pending = status === 'PENDING' && registration !== 'NOT_NEEDED' ? registration : undefined
  const reason = reasonWords(n.reason, language)
  return (
    <>
      <div className={css.numberHead}>
        <strong className="numeric nowrap">{n.displayPhoneNumber}</strong>
        {pending ? (
          <Badge tone={REGISTRATION_TONES[pending] ?? 'idle'}>{words.registration[pending]}</Badge>
        ) : (
          status && <Badge tone={STATUS_TONES[status] ?? 'broken'}>{words.numberStatus[status] ?? status}</Badge>
        )}
      </div>
      <Rows>
        <Row label={words.connection.name}>
          {n.verifiedName && (
            <>
              <Foreign short>{n.verifiedName}</Foreign>
              {name && <span className="muted"> · {words.nameStatus[name] ?? name}</span>}
            </>
          )}
        </Row>
        <Row label={words.connection.quality}>{quality && (words.quality[quality] ?? quality)}</Row>
        <Row label={words.connection.limit}>{limit(n.messagingLimit)}</Row>
        <Row label={words.connection.sending}>{n.canSendMessage && (words.canSend[n.canSendMessage] ?? n.canSendMessage)}</Row>
        <Row label={words.connection.registration}>{!pending && registration && registration !== 'NOT_NEEDED' && words.registration[registration]}</Row>
        <Row label={words.connection.atMeta}>{live && pending && (pending === 'REGISTERED' ? words.connection.readBefore : words.connection.notYet)}</Row>
        <Row label={words.common.why}>{reason && `${reason.happened}. ${reason.act && `${reason.act}.`}`}</Row>
        <Part label={words.connection.syncContacts} part={n.sync?.contacts} />
        <Part label={words.connection.syncHistory} part={n.sync?.history} />
        <Row label={words.connection.phoneNumberId}>
          <Id value={n.phoneNumberId} />
        </Row>
      </Rows>
      {n.coexistence && <p className={css.coexistence}>{words.connection.coexistence}</p>}
    </>
  )
}

// Part is what a coexistence number brought along: contacts or chats.
function Part({ label, part }: { label: string; part: SyncPart | undefined }) {
  const { words, format, language } = useSpeech()
  if (!part?.state || part.state === 'STATE_UNSPECIFIED') return null
  const count = Number(part.itemCount ?? 0)
  const facts = [words.sync[part.state], part.progress ? format.percent(part.progress) : '', count ? words.connection.synced(format.number(count)) : '', reasonWords(part.reason, language)?.happened]
  return <Row label={label}>{facts.filter(Boolean).join(' · ')}</Row>
}
