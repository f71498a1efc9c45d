import { Button, TextInput } from '@mantine/core'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { ChangeState, listChanges, type Change, type Connection } from '../api/generated'
import { useConnections } from '../api/live'
import { usePages } from '../api/pages'
import { DataTable, type Column } from '../ui/DataTable'
import { FilterLink } from '../ui/FilterLink'
import { Icon } from '../ui/Icon'
import { More } from '../ui/More'
import { Bones, Empty, Foreign, Panel } from '../ui/parts'
import { ChangeBadge } from '../ui/StateBadge'
import { Ago } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import { ChangeDrawer } from './ChangeDrawer'
import css from './events.module.css'
import { ReplayAll } from './ReplayAll'

const route = getRouteApi('/events')
const STATES = Object.values(ChangeState).filter((s) => s !== 'STATE_UNSPECIFIED')

export function Changes() {
  const { words } = useSpeech()
  const search = route.useSearch()
  const { field, connection, id } = search
  const navigate = useNavigate()
  const state = STATES.find((s) => s === search.state)
  const filtered = Boolean(state || field || connection)
  const query = usePages({
    key: ['changes', state, field, connection],
    every: 10_000,
    read: (pageToken, signal) =>
      listChanges({
        query: { states: state && [state], fields: field ? [field] : undefined, connectionId: connection, pageSize: 50, pageToken },
        signal,
        throwOnError: true,
      }),
  })
  const rows = query.data?.pages.flatMap((p) => p.changes ?? []) ?? []
  return (
    <>
      <div className={css.tools}>
        <FieldFilter key={field} />
        <div className={ui.chips} role="group" aria-label={words.events.state}>
          {STATES.map((s) => (
            <FilterLink key={s} to="/events" search={{ field, connection, state: state === s ? undefined : s }} className={ui.chip} on={state === s}>
              {words.change[s]}
            </FilterLink>
          ))}
        </div>
        {filtered && rows.length > 0 && <ReplayAll changes={rows} />}
      </div>
      <Answered query={query} bones={<Panel><Bones lines={8} /></Panel>}>
        {() => (
          <Panel flush>
            {rows.length > 0 ? (
              <Table rows={rows} />
            ) : filtered ? (
              <Empty icon="search" title={words.events.noneFilter}>
                <Button variant="default" onClick={() => void navigate({ to: '/events', search: {} })}>
                  {words.common.clear}
                </Button>
              </Empty>
            ) : (
              <Empty icon="events" title={words.events.none} lead={words.events.noneLead} />
            )}
          </Panel>
        )}
      </Answered>
      <More of={query} mt="md" />
      {id && <ChangeDrawer id={id} onClose={() => void navigate({ to: '/events', search: { state, field, connection } })} />}
    </>
  )
}

function FieldFilter() {
  const { words } = useSpeech()
  const { field, ...rest } = route.useSearch()
  const navigate = useNavigate()
  const [text, setText] = useState(field ?? '')
  const [wrong, setWrong] = useState(false)
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    const wanted = text.trim().toLowerCase()
    const fits = /^[a-z0-9_]{0,64}$/.test(wanted)
    setWrong(!fits)
    if (fits) void navigate({ to: '/events', search: { ...rest, field: wanted || undefined } })
  }
  return (
    <form onSubmit={submit} role="search" className={css.field}>
      <TextInput type="search" aria-label={words.events.field} placeholder={words.events.fieldHint} error={wrong && words.events.fieldRule} leftSection={<Icon name="search" size={17} />} value={text} onChange={(e) => setText(e.currentTarget.value)} onBlur={() => submit()} maxLength={64} autoCapitalize="none" spellCheck={false} />
    </form>
  )
}

function Table({ rows }: { rows: Change[] }) {
  const { words, format } = useSpeech()
  const { id: _, tab: __, ...filter } = route.useSearch()
  const connections = useConnections().data?.items
  const columns: Column<Change>[] = [
    {
      head: words.events.field,
      lead: true,
      cell: (c) => (
        <>
          <Link to="/events" search={{ ...filter, id: c.changeId }} className={ui.rowLink}>
            <code>
              <Foreign short>{c.field || '—'}</Foreign>
            </code>
          </Link>
          {c.event && (
            <small>
              <Foreign short>{c.event}</Foreign>
            </small>
          )}
        </>
      ),
    },
    { head: words.events.connection, cell: (c) => <Owner change={c} connections={connections} /> },
    { head: words.events.state, cell: (c) => <ChangeBadge state={c.state} /> },
    { head: words.events.received, cell: (c) => <Ago time={c.receiveTime} /> },
    { head: words.events.delay, cell: (c) => <span className="nowrap">{delay(c, format.duration)}</span> },
  ]
  return <DataTable caption={words.nav.events} columns={columns} rows={rows} id={(c) => c.changeId ?? ''} />
}

function Owner({ change, connections }: { change: Change; connections: Connection[] | undefined }) {
  const { words } = useSpeech()
  if (!change.connectionId) return <span className="muted">{change.wabaId ? <code>{change.wabaId}</code> : words.events.unowned}</span>
  const name = connections?.find((c) => c.connectionId === change.connectionId)?.name
  return <Foreign short>{name || change.organizationId || change.wabaId}</Foreign>
}

// delay is how long an event was on its way, by Meta's clock, which counts whole seconds. Messages say no time of theirs.
export function delay(change: Change, say: (milliseconds: number) => string): string {
  if (!change.entryTime || !change.receiveTime) return '—'
  const late = new Date(change.receiveTime).getTime() - new Date(change.entryTime).getTime()
  return late < 1_000 ? '< 1 s' : say(late)
}
