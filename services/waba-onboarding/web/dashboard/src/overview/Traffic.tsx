import { useQuery } from '@tanstack/react-query'
import { latestChanges, NEWEST } from '../api/first'
import { Panel } from '../ui/parts'
import { useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import { bars } from './bars'
import css from './overview.module.css'

// Traffic draws the newest events over the time that they cover, at most a day.
export function Traffic() {
  const { words, format } = useSpeech()
  const now = useNow(30_000)
  const query = useQuery({ ...latestChanges, refetchInterval: 30_000 })
  return (
    <Panel title={words.overview.traffic}>
      <Answered query={query}>
        {({ changes = [] }) => {
          const times = changes.map((c) => new Date(c.receiveTime ?? 0).getTime())
          const drawn = bars(times, now, changes.length === NEWEST)
          if (!drawn) return <p className="muted">{words.overview.trafficNone}</p>
          const most = Math.max(...drawn.counts, 1)
          return (
            <figure>
              <div className={css.bars} aria-hidden="true">
                {drawn.counts.map((count, i) => (
                  <span key={i} title={words.overview.trafficBar(count, format.time(drawn.from + i * drawn.width))} style={{ height: count ? `max(4px, ${(100 * count) / most}%)` : 2 }} data-empty={count === 0} />
                ))}
              </div>
              <figcaption className="muted">{words.overview.trafficFrom(drawn.total, format.exact(drawn.from))}</figcaption>
            </figure>
          )
        }}
      </Answered>
    </Panel>
  )
}
