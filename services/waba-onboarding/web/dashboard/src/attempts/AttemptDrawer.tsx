import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { waitOnboarding, type Onboarding, type SignupReport, type Step } from '../api/generated'
import { getOnboardingOptions, getOnboardingQueryKey, selectWabaMutation } from '../api/generated/@tanstack/react-query.gen'
import { ConnectButton } from '../connect/ConnectButton'
import { TONE_ICONS, type Tone } from '../ui/Badge'
import { SideSheet } from '../ui/Dialog'
import { Icon } from '../ui/Icon'
import { Foreign, Id, Row, Rows } from '../ui/parts'
import { OnboardingBadge } from '../ui/StateBadge'
import { Ago } from '../ui/Time'
import { Answered, Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import { reasonWords } from '../words/reasons'
import { STEPS } from '../words/known'
import ui from '../ui/ui.module.css'
import css from './attempts.module.css'
import { device } from './device'
import { metaStep } from './reached'

const MOVING = ['EXCHANGING', 'CLAIMING']
// The customer did not get through, and may need another link.
const ENDED = ['CANCELLED', 'FAILED', 'EXPIRED']

export function AttemptDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { words } = useSpeech()
  const query = useQuery(getOnboardingOptions({ path: { onboardingId: id } }))
  useFollowed(id, query.data)
  return (
    <SideSheet onClose={onClose} title={words.attempts.title}>
      <Answered query={query}>{(onboarding) => <Attempt onboarding={onboarding} />}</Answered>
    </SideSheet>
  )
}

// useFollowed waits for a run that moves: the server answers as soon as its state is another.
function useFollowed(id: string, onboarding: Onboarding | undefined) {
  const client = useQueryClient()
  const state = onboarding?.state
  useQuery({
    queryKey: ['wait', id, state],
    enabled: Boolean(state && MOVING.includes(state)),
    refetchInterval: 1_000,
    gcTime: 0,
    queryFn: async ({ signal }) => {
      const { data } = await waitOnboarding({ path: { onboardingId: id }, query: { seenState: state as 'CLAIMING', timeout: '20s' }, signal, throwOnError: true })
      client.setQueryData(getOnboardingQueryKey({ path: { onboardingId: id } }), data)
      return data
    },
  })
}

function Attempt({ onboarding: o }: { onboarding: Onboarding }) {
  const { words } = useSpeech()
  return (
    <div className={css.attempt}>
      <div className={css.head}>
        <strong>{o.organizationId}</strong>
        <OnboardingBadge state={o.state} />
        <span className="muted">
          <Ago time={o.createTime} />
        </span>
      </div>
      {o.reason && (
        <div className={`${ui.note} ${o.state === 'FAILED' ? ui.broken : ui.warn}`}>
          <Icon name="warn" />
          <div className={ui.noteBody}>
            <strong>{o.message}.</strong>
            {o.nextAction && <span>{o.nextAction}.</span>}
            <span className={ui.noteCode}>
              {words.problem.code}: <code>{o.reason}</code>
            </span>
          </div>
        </div>
      )}
      {o.state && ENDED.includes(o.state) && (
        <div>
          <ConnectButton way="link" label={words.connect.sendLink} organization={o.organizationId} />
        </div>
      )}
      {o.state === 'CHOOSING_WABA' && <Choices onboarding={o} />}
      <section>
        <h2>{words.attempts.report}</h2>
        {o.signup ? <Report report={o.signup} /> : <p className="muted">{words.attempts.noReport}</p>}
      </section>
      <section>
        <h2>{words.attempts.steps}</h2>
        {o.steps?.some((s) => s.state !== 'PENDING') ? (
          <ol className={css.steps}>
            {o.steps.map((s) => (
              <OneStep key={s.name} step={s} />
            ))}
          </ol>
        ) : (
          <p className="muted">{words.attempts.noSteps}</p>
        )}
      </section>
      <Rows stacked>
        <Row label={words.connection.onboardingId}>
          <Id value={o.onboardingId} />
        </Row>
        <Row label={words.attempts.expires}>{o.state === 'STARTED' && <Ago time={o.expireTime} />}</Row>
      </Rows>
      {o.connection?.connectionId && (
        <Link to="/connections/$connectionId" params={{ connectionId: o.connection.connectionId }}>
          {words.attempts.toConnection}
        </Link>
      )}
    </div>
  )
}

function Choices({ onboarding }: { onboarding: Onboarding }) {
  const { words } = useSpeech()
  const client = useQueryClient()
  const id = onboarding.onboardingId ?? ''
  const select = useMutation({ ...selectWabaMutation(), onSuccess: (chosen) => client.setQueryData(getOnboardingQueryKey({ path: { onboardingId: id } }), chosen) })
  return (
    <section>
      <h2>{words.attempts.choices}</h2>
      <ul className={css.choices}>
        {(onboarding.choices ?? []).map((c) => (
          <li key={c.wabaId}>
            <span>
              <strong>
                <Foreign short>{c.name || c.wabaId}</Foreign>
              </strong>
              <small className="muted numeric">{(c.displayPhoneNumbers ?? []).join(', ')}</small>
            </span>
            <Button size="compact-md" variant="default" loading={select.isPending && select.variables.body.wabaId === c.wabaId} onClick={() => select.mutate({ path: { onboardingId: id }, body: { wabaId: c.wabaId } })}>
              {words.attempts.choose}
            </Button>
          </li>
        ))}
      </ul>
      {select.error && <Trouble error={select.error} />}
    </section>
  )
}

function Report({ report: r }: { report: SignupReport }) {
  const { words } = useSpeech()
  const event = r.event && r.event !== 'EVENT_UNSPECIFIED' ? words.signup[r.event] : ''
  return (
    <Rows>
      <Row label={words.attempts.situation}>{event}</Row>
      <Row label={words.attempts.metaStep}>{r.step && metaStep(r.step, words)}</Row>
      <Row label={words.attempts.metaError}>
        {(r.errorCode || r.errorMessage) && (
          <>
            <code>{r.errorCode}</code>{' '}
            {r.errorMessage && (
              <q>
                <Foreign>{r.errorMessage}</Foreign>
              </q>
            )}
          </>
        )}
      </Row>
      <Row label={words.attempts.device}>
        {r.userAgent && (
          <span title={r.userAgent}>
            <Foreign>{device(r.userAgent)}</Foreign>
          </span>
        )}
      </Row>
      <Row label={words.attempts.session}>{r.sessionId && <Id value={r.sessionId} />}</Row>
      <Row label={words.attempts.when}>{r.time && <Ago time={r.time} />}</Row>
    </Rows>
  )
}

const STEP_TONES: Record<string, Tone> = { DONE: 'ok', RUNNING: 'busy', WAITING: 'warn', FAILED: 'broken', UNKNOWN: 'warn' }

function OneStep({ step: s }: { step: Step }) {
  const { words, format, language } = useSpeech()
  const tone = STEP_TONES[s.state ?? ''] ?? 'idle'
  const name = STEPS.find((n) => n === s.name)
  const state = s.state && s.state !== 'STATE_UNSPECIFIED' ? words.stepState[s.state] : ''
  const took = s.startTime && s.endTime ? format.duration(new Date(s.endTime).getTime() - new Date(s.startTime).getTime()) : ''
  const why = reasonWords(s.reason, language)?.happened
  return (
    <li className={ui[tone]}>
      <span className={css.dot}>
        <Icon name={tone === 'idle' ? 'dot' : TONE_ICONS[tone]} size={13} />
      </span>
      <span>
        {name ? words.step[name] : s.name}
        {why && <small className="muted">{why}</small>}
      </span>
      <span className={`muted ${css.stepState}`}>{[state, took, (s.attempts ?? 0) > 1 ? words.attempts.tries(s.attempts ?? 0) : ''].filter(Boolean).join(' · ')}</span>
    </li>
  )
}
