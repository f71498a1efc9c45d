import { Link } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import { latestAttempts } from '../api/first'
import type { Connection } from '../api/generated'
import { lastHeard, type Listed } from '../api/lists'
import { useConnections } from '../api/live'
import { currentOrganization } from '../api/session'
import { endsSoon } from '../chain'
import { ConnectButton } from '../connect/ConnectButton'
import { judge, WORST_FIRST, worstFirst } from '../connection/verdict'
import { connectionTone, TONE_ICONS } from '../ui/Badge'
import { Icon } from '../ui/Icon'
import { Bones, Foreign, PageHead, Panel } from '../ui/parts'
import { ConnectionBadge, OnboardingBadge } from '../ui/StateBadge'
import { Ago, useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import css from './overview.module.css'
import { Traffic } from './Traffic'

export function Overview() {
  const { words } = useSpeech()
  const query = useConnections()
  const needy = query.data?.items.some(needsAction)
  return (
    <>
      <PageHead title={words.nav.overview} lead={words.overview.lead}>
        {needy && (
          <Link to="/connections" search={{ state: query.data?.items.some((c) => c.state === 'RECONNECT_REQUIRED') ? 'RECONNECT_REQUIRED' : 'ATTENTION' }} className={css.primary}>
            {words.overview.see}
          </Link>
        )}
      </PageHead>
      <Answered query={query} bones={<Panel><Bones lines={9} /></Panel>}>
        {(list) => (list.items.length === 0 ? <FirstSteps /> : <Health list={list} />)}
      </Answered>
    </>
  )
}

const needsAction = (c: Connection) => c.state === 'RECONNECT_REQUIRED' || c.state === 'ATTENTION'

function FirstSteps() {
  const { words } = useSpeech()
  return (
    <>
      <Panel className={css.first}>
        <h2>{words.overview.emptyTitle}</h2>
        <p className="muted">{words.overview.emptyLead}</p>
        <ol className={css.steps}>
          {words.overview.steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        <ConnectButton />
      </Panel>
      <div className={css.grid}>
        <Traffic />
        <Latest />
      </div>
    </>
  )
}

function Health({ list }: { list: Listed<Connection> }) {
  const { words } = useSpeech()
  return (
    <>
      <ul className={css.counts}>
        {WORST_FIRST.map((state) => {
          const count = list.items.filter((c) => c.state === state).length
          const tone = count === 0 ? 'idle' : connectionTone[state]
          return (
            <li key={state}>
              <Link to="/connections" search={{ state }} className={`${css.count} ${ui[tone]}`}>
                <span className={css.countLabel}>
                  <Icon name={TONE_ICONS[connectionTone[state]]} size={16} />
                  {words.tabs[state]}
                </span>
                <strong>{count}</strong>
              </Link>
            </li>
          )
        })}
      </ul>
      {list.partial && <p className="muted">{words.common.partial(list.items.length, !currentOrganization())}</p>}
      <div className={css.grid}>
        <div className={css.column}>
          <Worst list={list} />
          <Latest />
        </div>
        <div className={css.column}>
          <Traffic />
          <Ending list={list} />
        </div>
      </div>
    </>
  )
}

function Worst({ list }: { list: Listed<Connection> }) {
  const { words, format } = useSpeech()
  const now = useNow()
  const worst = list.items.filter(needsAction).sort(worstFirst).slice(0, 10)
  const heard = lastHeard(list.items)
  return (
    <Panel title={words.overview.worst} flush={worst.length > 0}>
      {worst.length === 0 ? (
        <p className={`${css.good} ${ui.ok}`}>
          <Icon name="check" /> {words.overview.allGood}
        </p>
      ) : (
        <ul className={css.list}>
          {worst.map((c) => (
            <li key={c.connectionId}>
              <div>
                <Link to="/connections/$connectionId" params={{ connectionId: c.connectionId ?? '' }} className={ui.rowLink}>
                  <Foreign short>{c.name || words.connections.unnamed}</Foreign>
                </Link>
                <p className="muted">{judge(c, { now, heard }, words, format).sentence}</p>
              </div>
              <div className={css.aside}>
                <ConnectionBadge state={c.state} />
                <small className="muted">
                  <Ago time={c.stateTime} />
                </small>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Ending({ list }: { list: Listed<Connection> }) {
  const { words, format } = useSpeech()
  const now = useNow()
  const ending = list.items
    .filter((c) => c.state !== 'DISCONNECTED' && c.token?.state === 'ACTIVE' && c.token.expireTime && endsSoon(c.token.expireTime, now))
    .sort((a, b) => (a.token?.expireTime ?? '').localeCompare(b.token?.expireTime ?? ''))
  return (
    <Panel title={words.overview.ending} flush={ending.length > 0}>
      {ending.length === 0 ? (
        <p className="muted">{words.overview.endingNone}</p>
      ) : (
        <ul className={css.list}>
          {ending.slice(0, 8).map((c) => (
            <li key={c.connectionId}>
              <Link to="/connections/$connectionId" params={{ connectionId: c.connectionId ?? '' }} className={ui.rowLink}>
                <Foreign short>{c.name || words.connections.unnamed}</Foreign>
              </Link>
              <span className="nowrap">{format.date(c.token?.expireTime ?? 0)}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Latest() {
  const { words } = useSpeech()
  const query = useQuery({ ...latestAttempts, refetchInterval: 15_000 })
  return (
    <Panel title={words.overview.attempts} side={<Link to="/attempts">{words.overview.allAttempts}</Link>} flush={Boolean(query.data?.onboardings?.length)}>
      <Answered query={query}>
        {({ onboardings = [] }) =>
          onboardings.length === 0 ? (
            <p className="muted">{words.attempts.none}</p>
          ) : (
            <ul className={css.list}>
              {onboardings.map((o) => (
                <li key={o.onboardingId}>
                  <div>
                    <Link to="/attempts" search={{ id: o.onboardingId }} className={ui.rowLink}>
                      <Foreign short>{o.connection?.name || o.organizationId}</Foreign>
                    </Link>
                    {o.message && <p className="muted">{o.message}</p>}
                  </div>
                  <div className={css.aside}>
                    <OnboardingBadge state={o.state} />
                    <small className="muted">
                      <Ago time={o.createTime} />
                    </small>
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Answered>
    </Panel>
  )
}
