import { getRouteApi, Link } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import type { Connection, SyncPart } from '../api/generated'
import { getConnectionOptions, getOnboardingOptions } from '../api/generated/@tanstack/react-query.gen'
import { destinationsOf, lastHeard } from '../api/lists'
import { useConnections, useDestinations } from '../api/live'
import { Icon } from '../ui/Icon'
import { Bones, Foreign, PageHead, Panel } from '../ui/parts'
import { ConnectionBadge } from '../ui/StateBadge'
import { Ago, useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import { STEPS } from '../words/known'
import { Actions } from './Actions'
import { Chain } from './Chain'
import css from './connection.module.css'
import { Ids } from './Ids'
import { Messages } from './Messages'
import { Numbers } from './Numbers'
import { Timeline } from './Timeline'
import { judge } from './verdict'

const route = getRouteApi('/connections/$connectionId')

export default function ConnectionPage() {
  const { words } = useSpeech()
  const { connectionId } = route.useParams()
  const query = useQuery({
    ...getConnectionOptions({ path: { connectionId } }),
    refetchInterval: (q) => (q.state.data && moves(q.state.data) ? 2_000 : 5_000),
  })
  return (
    <>
      <Link to="/connections" className={css.back}>
        <Icon name="back" size={16} /> {words.nav.connections}
      </Link>
      {query.error && !query.data && <PageHead title={words.events.connection} />}
      <Answered query={query} bones={<Panel><Bones lines={12} /></Panel>}>
        {(connection) => <Page connection={connection} />}
      </Answered>
    </>
  )
}

// moves tells whether something goes on by itself that somebody may be watching.
function moves({ state, phoneNumbers = [] }: Connection): boolean {
  return state === 'CLAIMING' || phoneNumbers.some((n) => n.registration === 'PENDING' || arriving(n.sync?.contacts) || arriving(n.sync?.history))
}

// arriving: what Meta was asked for and never sends is waited for no longer than this.
const arriving = (part: SyncPart | undefined) =>
  Boolean(part?.updateTime) && ['PENDING', 'REQUESTED', 'RUNNING'].includes(part?.state ?? '') && Date.now() - new Date(part?.updateTime ?? 0).getTime() < 10 * 60_000

function Page({ connection }: { connection: Connection }) {
  const { words, format } = useSpeech()
  const now = useNow()
  const heard = useConnections().data
  const destinations = useDestinations().data
  const claim = useClaim(connection)
  const around = { now, heard: heard && lastHeard(heard.items), destinations: destinationsOf(connection.organizationId, destinations?.items) }
  const verdict = judge(connection, around, words, format)
  const state = connection.state ?? 'STATE_UNSPECIFIED'
  const id = connection.connectionId ?? ''
  return (
    <>
      <PageHead
        title={<Foreign short>{connection.name || words.connections.unnamed}</Foreign>}
        lead={
          <span className={css.under}>
            <ConnectionBadge state={connection.state} />
            <span>{connection.organizationId}</span>
            <span>
              <Ago time={connection.stateTime} />
            </span>
          </span>
        }
      >
        <Actions connection={connection} fault={verdict.fault} />
      </PageHead>
      <Chain verdict={{ ...verdict, sentence: claim ?? verdict.sentence }} connection={connection} />
      <div className={css.grid}>
        <div className={css.column}>
          <Timeline id={id} state={state} />
          <Messages connection={connection} />
        </div>
        <div className={css.column}>
          <Numbers connection={connection} />
          <Ids connection={connection} />
        </div>
      </div>
    </>
  )
}

// useClaim says which step a claim that goes on has reached.
function useClaim(connection: Connection): string | undefined {
  const { words } = useSpeech()
  const claiming = connection.state === 'CLAIMING'
  const { data } = useQuery({
    ...getOnboardingOptions({ path: { onboardingId: connection.onboardingId ?? '' } }),
    enabled: claiming && Boolean(connection.onboardingId),
    refetchInterval: 2_000,
  })
  if (!claiming || !data?.steps) return undefined
  const at = data.steps.findIndex((s) => s.state !== 'DONE' && s.state !== 'SKIPPED')
  const step = STEPS[at]
  return step && words.connection.verdict.claiming(words.step[step], at + 1)
}
