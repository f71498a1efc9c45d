import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { DestinationAttempt } from '../api/generated'
import { listDestinationAttemptsOptions } from '../api/generated/@tanstack/react-query.gen'
import { Badge } from '../ui/Badge'
import { Ago, useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './events.module.css'

// DestinationAttempts answer why something did not arrive: each try with its status.
export function DestinationAttempts({ id }: { id: string }) {
  const { words } = useSpeech()
  const query = useQuery({ ...listDestinationAttemptsOptions({ path: { destinationId: id }, query: { pageSize: 50 } }), refetchInterval: 5_000 })
  return (
    <Answered query={query}>
      {({ attempts = [] }) =>
        attempts.length === 0 ? (
          <p className="muted">{words.destinations.attemptsNone}</p>
        ) : (
          <ul className={css.attempts} aria-label={words.destinations.attempts}>
            {attempts.map((a) => (
              <Attempt key={a.attemptId} attempt={a} />
            ))}
          </ul>
        )
      }
    </Answered>
  )
}

function Attempt({ attempt: a }: { attempt: DestinationAttempt }) {
  const { words, format } = useSpeech()
  const now = useNow()
  const status = a.httpStatus ?? 0
  const received = status >= 200 && status < 300
  return (
    <li>
      <Badge tone={received ? 'ok' : 'broken'}>{status ? `HTTP ${status}` : words.destinations.noAnswer}</Badge>
      <code>{a.changeId ? <Link to="/events" search={{ id: a.changeId }}>{a.eventType}</Link> : a.eventType}</code>
      <span className="muted">
        <Ago time={a.time} /> · {words.destinations.attempt(a.attempt ?? 1)} · {format.duration(a.durationMs ?? 0)}
        {a.nextAttemptTime && new Date(a.nextAttemptTime).getTime() > now && (
          <>
            {' · '}
            {words.destinations.nextTry(format.ago(a.nextAttemptTime, now))}
          </>
        )}
      </span>
      {a.error && a.error !== `HTTP ${status}` && (
        <span className="muted">{words.destinations.failure(a.error)}</span>
      )}
    </li>
  )
}
