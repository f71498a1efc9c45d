import { getRouteApi } from '@tanstack/react-router'
import { listActivities, type Activity } from '../api/generated'
import { usePages } from '../api/pages'
import { TONE_ICONS } from '../ui/Badge'
import { FilterLink } from '../ui/FilterLink'
import { Icon } from '../ui/Icon'
import { More } from '../ui/More'
import { Panel, visible } from '../ui/parts'
import { Ago } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import { reasonWords } from '../words/reasons'
import { GROUPS } from '../words/known'
import ui from '../ui/ui.module.css'
import { activityGroups, activityTitle, activityTone, actorName } from './activity'
import css from './connection.module.css'

const route = getRouteApi('/connections/$connectionId')

// Timeline is what happened to a connection, newest first, day by day. state: a change of it is worth reading again.
export function Timeline({ id, state }: { id: string; state: string }) {
  const { words } = useSpeech()
  const { about } = route.useSearch()
  const query = usePages({
    key: ['activities', id, state],
    every: 15_000,
    keeps: true,
    read: (pageToken, signal) => listActivities({ path: { connectionId: id }, query: { pageSize: 50, pageToken }, signal, throwOnError: true }),
  })
  const chips = (
    <div className={ui.chips} role="group" aria-label={words.connection.timeline}>
      <FilterLink to="." search={{}} className={ui.chip} on={!about}>
        {words.common.all}
      </FilterLink>
      {GROUPS.map((group) => (
        <FilterLink key={group} to="." search={{ about: group }} className={ui.chip} on={about === group}>
          {words.groups[group]}
        </FilterLink>
      ))}
    </div>
  )
  return (
    <Panel title={words.connection.timeline} side={chips}>
      <Answered query={query}>
        {({ pages }) => {
          const all = pages.flatMap((p) => p.activities ?? [])
          const shown = all.filter((a) => !about || activityGroups(a).some((g) => g === about))
          return (
            <>
              {shown.length === 0 && <p className="muted">{all.length ? words.connection.noActivitiesHere : words.connection.noActivities}</p>}
              <Days activities={shown} />
              <More of={query} />
            </>
          )
        }}
      </Answered>
    </Panel>
  )
}

function Days({ activities }: { activities: Activity[] }) {
  const { format } = useSpeech()
  return (
    <>
      {groupBy(activities, (a) => format.dayKey(a.time ?? 0)).map(([day, list]) => (
        <section key={day} className={css.day}>
          <h3>{format.day(list[0]?.time ?? 0)}</h3>
          <ol>
            {list.map((a) => (
              <Line key={a.activityId} activity={a} />
            ))}
          </ol>
        </section>
      ))}
    </>
  )
}

// groupBy keeps the order of the list, which is by time.
function groupBy<T>(list: T[], key: (item: T) => string): [string, T[]][] {
  const groups: [string, T[]][] = []
  for (const item of list) {
    const last = groups.at(-1)
    if (last?.[0] === key(item)) last[1].push(item)
    else groups.push([key(item), [item]])
  }
  return groups
}

function Line({ activity: a }: { activity: Activity }) {
  const { words, format, language } = useSpeech()
  const tone = activityTone(a.type)
  const reason = a.message || reasonWords(a.reason, language)?.happened
  return (
    <li className={ui[tone]}>
      <time dateTime={a.time} title={format.exact(a.time ?? 0)} className="numeric">
        {format.time(a.time ?? 0)}
      </time>
      <span className={css.lineDot}>
        <Icon name={tone === 'idle' ? 'dot' : TONE_ICONS[tone]} size={13} />
      </span>
      <div>
        <p>{activityTitle(a.type ?? '', words)}</p>
        <p className={css.lineMeta}>
          {reason && <span>{visible(reason)}</span>}
          {a.actor === 'meta' && Object.entries(a.metadata ?? {}).map(([name, said]) => <span key={name}>{visible(said)}</span>)}
          <span>
            {visible(actorName(a.actor, words))} · <Ago time={a.time} />
          </span>
        </p>
      </div>
    </li>
  )
}
