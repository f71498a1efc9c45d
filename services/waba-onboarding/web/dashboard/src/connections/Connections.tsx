import { Button, TextInput } from '@mantine/core'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useDeferredValue, useMemo } from 'react'
import type { Connection } from '../api/generated'
import { lastHeard, type Listed } from '../api/lists'
import { useConnections } from '../api/live'
import { currentOrganization } from '../api/session'
import { endsSoon } from '../chain'
import { judge, WORST_FIRST, worstFirst } from '../connection/verdict'
import { ConnectButton } from '../connect/ConnectButton'
import { csv, download } from '../csv'
import { DataTable, type Column } from '../ui/DataTable'
import { FilterLink } from '../ui/FilterLink'
import { Icon } from '../ui/Icon'
import { Bones, Empty, Foreign, PageHead, Panel } from '../ui/parts'
import { ConnectionBadge } from '../ui/StateBadge'
import { Ago, useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from '../ui/ui.module.css'
import own from './connections.module.css'
import { matches } from './matches'

const route = getRouteApi('/connections')

export default function Connections() {
  const { words } = useSpeech()
  const query = useConnections()
  return (
    <>
      <PageHead title={words.nav.connections} lead={words.connections.lead}>
        <ConnectButton way="link" label={words.connect.sendLink} filled={false} />
        <ConnectButton />
      </PageHead>
      <Answered query={query} bones={<Panel><Bones lines={8} /></Panel>}>
        {(list) => (list.items.length === 0 ? <NoneYet /> : <Found list={list} />)}
      </Answered>
    </>
  )
}

function NoneYet() {
  const { words } = useSpeech()
  return (
    <Panel>
      <Empty icon="link" title={words.connections.emptyTitle} lead={words.connections.emptyLead}>
        <ConnectButton />
      </Empty>
    </Panel>
  )
}

function Found({ list }: { list: Listed<Connection> }) {
  const { words } = useSpeech()
  const { state, q } = route.useSearch()
  const navigate = useNavigate()
  const wanted = useDeferredValue(q ?? '')
  const matching = useMemo(() => list.items.filter((c) => matches(c, wanted)), [list, wanted])
  const shown = useMemo(() => matching.filter((c) => !state || c.state === state).sort(worstFirst), [matching, state])
  const count = (s: string) => matching.filter((c) => c.state === s).length
  const search = (text: string) => void navigate({ to: '/connections', search: { state, q: text || undefined }, replace: true })
  return (
    <>
      <nav className={css.tabs} aria-label={words.connections.situation}>
        <Tab label={words.common.all} count={matching.length} />
        {WORST_FIRST.map((s) => (
          <Tab key={s} state={s} label={words.tabs[s]} count={count(s)} />
        ))}
      </nav>
      <div className={own.tools}>
        <TextInput
          type="search"
          aria-label={words.common.search}
          placeholder={words.connections.searchHint}
          leftSection={<Icon name="search" size={17} />}
          value={q ?? ''}
          onChange={(e) => search(e.currentTarget.value)}
          maxLength={100}
          className={own.search}
        />
        <span className="muted" role="status">
          {words.connections.found(shown.length)}
        </span>
        <Download rows={shown} />
      </div>
      {list.partial && <p className="muted">{words.common.partial(list.items.length, !currentOrganization())}</p>}
      <Panel flush>
        {shown.length === 0 ? (
          <Empty icon="search" title={words.connections.noneTitle} lead={words.connections.noneLead}>
            <Button variant="default" onClick={() => void navigate({ to: '/connections', search: {} })}>
              {words.common.clear}
            </Button>
          </Empty>
        ) : (
          <Table rows={shown} heard={lastHeard(list.items)} />
        )}
      </Panel>
    </>
  )
}

function Tab({ state, label, count }: { state?: string; label: string; count: number }) {
  const { format } = useSpeech()
  const { state: chosen, q } = route.useSearch()
  return (
    <FilterLink to="/connections" search={{ state, q }} className={css.tab} on={chosen === state}>
      {label} <span>{format.number(count)}</span>
    </FilterLink>
  )
}

function Table({ rows, heard }: { rows: Connection[]; heard: string | undefined }) {
  const { words, format } = useSpeech()
  const now = useNow()
  const columns: Column<Connection>[] = [
    {
      head: words.connections.customer,
      lead: true,
      cell: (c) => (
        <>
          <Link to="/connections/$connectionId" params={{ connectionId: c.connectionId ?? '' }} className={css.rowLink}>
            <Foreign short>{c.name || words.connections.unnamed}</Foreign>
          </Link>
          <small>{c.organizationId}</small>
        </>
      ),
    },
    {
      head: words.connections.situation,
      lead: true,
      cell: (c) => (
        <div className={own.situation}>
          <ConnectionBadge state={c.state} />
          {c.state !== 'CONNECTED' && <small>{judge(c, { now, heard }, words, format).sentence}</small>}
        </div>
      ),
    },
    { head: words.connections.numbers, cell: (c) => <Numbers of={c} /> },
    { head: words.connections.last, cell: (c) => <Ago time={c.lastEventTime} fallback={words.common.never} /> },
    {
      head: words.connections.until,
      minor: 2,
      cell: (c) => {
        const until = c.token?.expireTime
        if (!c.token?.state || c.token.state !== 'ACTIVE') return <span className="muted">—</span>
        if (!until) return <span className="muted nowrap">{words.connections.noExpiry}</span>
        return <span className={`nowrap ${endsSoon(until, now) ? own.soon : ''}`}>{format.date(until)}</span>
      },
    },
    { head: words.connections.checked, minor: 1, cell: (c) => <Ago time={c.subscription?.proveTime} fallback="—" /> },
  ]
  return <DataTable caption={words.nav.connections} columns={columns} rows={rows} id={(c) => c.connectionId ?? ''} />
}

function Numbers({ of }: { of: Connection }) {
  const { words } = useSpeech()
  const [first, ...more] = of.phoneNumbers ?? []
  if (!first) return <span className="muted">{words.common.none}</span>
  return (
    <span>
      <span className="nowrap numeric">{first.displayPhoneNumber}</span>
      {more.length > 0 && <small>{words.connections.moreNumbers(more.length)}</small>}
    </span>
  )
}

function Download({ rows }: { rows: Connection[] }) {
  const { words, format } = useSpeech()
  const save = () => {
    const now = Date.now()
    const page = `${location.origin}/connections/`
    const head = [words.connections.customer, words.connection.organization, words.connections.situation, words.common.why, words.connections.numbers, words.connections.last, words.connections.until, words.connection.wabaId, 'URL']
    const lines = rows.map((c) => [
      c.name, c.organizationId, words.state[(c.state ?? 'CLAIMING') as keyof typeof words.state], judge(c, { now }, words, format).sentence,
      (c.phoneNumbers ?? []).map((n) => n.displayPhoneNumber).join('; '), c.lastEventTime, c.token?.expireTime, c.wabaId, page + c.connectionId,
    ])
    download(`${words.connections.file}.csv`, csv([head, ...lines]), 'text/csv;charset=utf-8')
  }
  return (
    <Button variant="default" leftSection={<Icon name="download" size={17} />} onClick={save} disabled={rows.length === 0} className={own.download}>
      {words.connections.csv}
    </Button>
  )
}
