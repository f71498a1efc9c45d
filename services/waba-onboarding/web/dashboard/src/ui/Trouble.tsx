import { Button } from '@mantine/core'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { Problem, type LocalReason } from '../api/problem'
import { useSpeech } from '../words'
import { Icon } from './Icon'
import { Bones, Copy, Foreign } from './parts'
import { Ago } from './Time'
import css from './ui.module.css'

const OrganizationForm = lazy(() => import('./OrganizationForm'))

type Props = {
  error: unknown
  retry?: () => void
  // Makes the request again in an organization, where it needs one. Else the whole page goes on in that organization.
  onOrganization?: (id: string) => void
}

// Trouble says of a failed request what happened, what to do, and what to quote when asking for help.
export function Trouble({ error, retry, onOrganization }: Props) {
  const { words } = useSpeech()
  const problem = error instanceof Problem ? error : new Problem(0, null, '')
  const local = words.problem.local[problem.reason as LocalReason]
  // The fields stand in the sentence too.
  const sentence = problem.fields.reduce((text, { field, rule }) => text.replace(` (${field}: ${rule})`, ''), problem.text)
  const { metaCode, metaSubcode, metaMessage, metaDetails } = problem.metadata
  const atMeta = metaCode && `Meta ${[metaCode, metaSubcode].filter((c) => c && c !== '0').join('/')}`
  const quoted = [metaMessage, metaDetails].filter(Boolean).join(' · ')
  const code = [problem.reason, atMeta, problem.requestId && `${words.problem.request} ${problem.requestId}`].filter(Boolean).join(' · ')
  return (
    <div className={`${css.note} ${css.broken}`} role="alert">
      <Icon name="warn" />
      <div className={css.noteBody}>
        <strong>{words.problem.title}</strong>
        <span>{problem.reason === 'ORGANIZATION_REQUIRED' ? words.problem.organization : (local ?? (sentence || words.problem.local.NOT_OURS))}</span>
        {problem.fields.map((f) => (
          <span key={f.field + f.rule}>
            <code>{f.field}</code>: {f.rule.includes('`^') ? words.problem.form : f.rule}
          </span>
        ))}
        {quoted && (
          <span>
            {words.problem.meta}:{' '}
            <q>
              <Foreign>{quoted}</Foreign>
            </q>
          </span>
        )}
        <span className={css.noteCode}>
          {words.problem.code}: <code>{code}</code> <Copy text={code} label={words.problem.copyCode} />
        </span>
        {problem.reason === 'ORGANIZATION_REQUIRED' && (
          <Suspense fallback={null}>
            <OrganizationForm onNamed={onOrganization} />
          </Suspense>
        )}
        {retry && (
          <div className={css.noteActions}>
            <Button variant="default" size="xs" onClick={retry}>
              {words.common.retry}
            </Button>
          </div>
        )}
      </div>
    </div>
  )
}

// Stale keeps the last facts on display when they could not be read again, and says how old they are.
function Stale({ since, error, retry }: { since: number; error: unknown; retry: () => void }) {
  const { words, format } = useSpeech()
  const reason = error instanceof Problem ? error.reason : ''
  return (
    <div className={`${css.note} ${css.warn}`} role="status" style={{ marginBottom: 16 }}>
      <Icon name="warn" />
      <div className={css.noteBody}>
        <span>
          {words.common.stale(format.time(since))} <code>{reason}</code> <Ago time={new Date(since).toISOString()} />
        </span>
        <Button variant="default" size="compact-sm" onClick={retry}>
          {words.common.retry}
        </Button>
      </div>
    </div>
  )
}

type Query<T> = { data: T | undefined; error: unknown; dataUpdatedAt: number; errorUpdatedAt: number; refetch: () => unknown }

// Answered shows what a query answered: bones before, what went wrong instead, and the last facts where there are some.
export function Answered<T>({ query, bones, children }: { query: Query<T>; bones?: ReactNode; children: (data: T) => ReactNode }) {
  const [failed, setFailed] = useState(query.error)
  if (query.error && query.error !== failed) setFailed(query.error)
  const retry = () => void query.refetch()
  if (query.data === undefined) {
    // A query that is asked again forgets why it failed. What is on display does not: it would flicker.
    const error = query.error ?? (query.errorUpdatedAt > 0 && failed)
    return error ? <Trouble error={error} retry={retry} /> : (bones ?? <Bones />)
  }
  return (
    <>
      {Boolean(query.error) && <Stale since={query.dataUpdatedAt} error={query.error} retry={retry} />}
      {children(query.data)}
    </>
  )
}
