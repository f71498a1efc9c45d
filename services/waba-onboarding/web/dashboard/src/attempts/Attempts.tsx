import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { listOnboardings, OnboardingState, type Onboarding } from '../api/generated'
import { usePages } from '../api/pages'
import { ConnectButton } from '../connect/ConnectButton'
import { DataTable, type Column } from '../ui/DataTable'
import { FilterLink } from '../ui/FilterLink'
import { More } from '../ui/More'
import { Bones, Empty, Foreign, PageHead, Panel } from '../ui/parts'
import { OnboardingBadge } from '../ui/StateBadge'
import { Ago } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import css from './attempts.module.css'
import { AttemptDrawer } from './AttemptDrawer'
import { device } from './device'
import { reached } from './reached'

const route = getRouteApi('/attempts')
const STATES = Object.values(OnboardingState).filter((s) => s !== 'STATE_UNSPECIFIED')

// Attempts are all runs of the signup, also those that never reached the server with a code.
export default function Attempts() {
  const { words } = useSpeech()
  const { state, id } = route.useSearch()
  const navigate = useNavigate()
  const chosen = STATES.find((s) => s === state)
  const query = usePages({
    key: ['onboardings', chosen],
    every: 10_000,
    read: (pageToken, signal) => listOnboardings({ query: { states: chosen && [chosen], pageSize: 50, pageToken }, signal, throwOnError: true }),
  })
  return (
    <>
      <PageHead title={words.nav.attempts} lead={words.attempts.lead}>
        <ConnectButton way="link" label={words.connect.copyConnectLink} />
      </PageHead>
      <nav className={`${ui.chips} ${css.filter}`} aria-label={words.attempts.situation}>
        <FilterLink to="/attempts" search={{}} className={ui.chip} on={!chosen}>
          {words.common.all}
        </FilterLink>
        {STATES.map((s) => (
          <FilterLink key={s} to="/attempts" search={{ state: s }} className={ui.chip} on={chosen === s}>
            {words.onboarding[s]}
          </FilterLink>
        ))}
      </nav>
      <Answered query={query} bones={<Panel><Bones lines={8} /></Panel>}>
        {({ pages }) => {
          const rows = pages.flatMap((p) => p.onboardings ?? [])
          return (
            <Panel flush>
              {rows.length === 0 ? (
                chosen ? <Empty icon="search" title={words.attempts.noneFilter} /> : <Empty icon="attempts" title={words.attempts.none} lead={words.attempts.noneLead} />
              ) : (
                <Table rows={rows} />
              )}
            </Panel>
          )
        }}
      </Answered>
      <More of={query} mt="md" />
      {id && <AttemptDrawer id={id} onClose={() => void navigate({ to: '/attempts', search: { state } })} />}
    </>
  )
}

function Table({ rows }: { rows: Onboarding[] }) {
  const { words } = useSpeech()
  const { state } = route.useSearch()
  const columns: Column<Onboarding>[] = [
    {
      head: words.attempts.who,
      lead: true,
      cell: (o) => (
        <>
          <Link to="/attempts" search={{ state, id: o.onboardingId }} className={ui.rowLink}>
            {o.organizationId}
          </Link>
          {o.connection?.name && (
            <small>
              <Foreign short>{o.connection.name}</Foreign>
            </small>
          )}
        </>
      ),
    },
    {
      head: words.attempts.situation,
      lead: true,
      cell: (o) => (
        <>
          <OnboardingBadge state={o.state} />
          {o.message && <small>{o.message}</small>}
        </>
      ),
    },
    { head: words.attempts.reached, cell: (o) => reached(o, words) },
    { head: words.attempts.device, cell: (o) => <Foreign>{device(o.signup?.userAgent) || '—'}</Foreign> },
    { head: words.attempts.when, cell: (o) => <Ago time={o.createTime} /> },
  ]
  return <DataTable caption={words.nav.attempts} columns={columns} rows={rows} id={(o) => o.onboardingId ?? ''} />
}
