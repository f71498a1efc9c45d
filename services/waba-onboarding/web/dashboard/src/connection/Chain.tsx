import type { Connection } from '../api/generated'
import type { Link } from '../chain'
import { TONE_ICONS } from '../ui/Badge'
import { Icon } from '../ui/Icon'
import { visible } from '../ui/parts'
import { Ago, useNow } from '../ui/Time'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import css from './connection.module.css'
import { MendButton } from './MendButton'
import type { Verdict } from './verdict'

// Chain answers in one sentence how the connection is, and shows the seven links that the answer comes from.
export function Chain({ verdict, connection }: { verdict: Verdict; connection: Connection }) {
  const { words } = useSpeech()
  const { fault, level } = verdict
  return (
    <section className={`${ui.panel} ${css.verdict}`} aria-label={words.connection.chain}>
      <div className={`${css.sentence} ${ui[level]}`}>
        <span className={css.sign}>
          <Icon name={TONE_ICONS[level]} size={22} />
        </span>
        <div>
          <p role="status">{visible(verdict.sentence)}</p>
          {fault?.mend === 'reconnect' && <p className="muted">{words.connection.reconnectWho}</p>}
          {fault && 'reason' in fault.evidence && <Advice connection={connection} reason={fault.evidence.reason} />}
        </div>
        <MendButton connection={connection} mend={verdict.fault?.mend ?? (connection.state === 'DISCONNECTED' ? 'reconnect' : 'check')} filled={Boolean(fault) || connection.state === 'DISCONNECTED'} hidden={level === 'busy'} />
      </div>
      <ol className={css.chain} aria-label={words.connection.chain}>
        {verdict.links.map((link) => (
          <ChainLink key={link.name} link={link} worst={link === fault} />
        ))}
      </ol>
    </section>
  )
}

function ChainLink({ link, worst }: { link: Link; worst: boolean }) {
  const { words, format } = useSpeech()
  const now = useNow()
  return (
    <li className={ui[link.level]} data-worst={worst}>
      <span className={css.dot}>
        <Icon name={TONE_ICONS[link.level]} size={15} />
      </span>
      <span className={css.linkName}>{words.link[link.name]}</span>
      <span className={css.linkLevel}>{words.level[link.level]}</span>
      <span className={css.evidence}>{visible(words.evidence(link.evidence, format, now))}</span>
      {link.time && !('time' in link.evidence) && (
        <span className={css.evidence}>
          <Ago time={link.time} />
        </span>
      )}
    </li>
  )
}

// Advice is what the service says to do about a reason.
function Advice({ connection, reason }: { connection: Connection; reason: string }) {
  const found = connection.reasons?.find((r) => r.reason === reason)
  if (!found?.nextAction) return null
  return <p className="muted">{found.nextAction}.</p>
}
