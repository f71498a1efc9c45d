import { useQuery } from '@tanstack/react-query'
import { listChangesOptions } from '../api/generated/@tanstack/react-query.gen'
import { DAY } from '../format'
import { Panel } from '../ui/parts'
import { useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './overview.module.css'

const BARS = 24
const NEWEST = 200

// Traffic draws the newest events over the time that they cover, at most a day.
export function Traffic() {
  const { words, format } = useSpeech()
  const now = useNow(30_000)
  const query = useQuery({ ...listChangesOptions({ query: { pageSize: NEWEST } }), refetchInterval: 30_000 })
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

// bars counts times in equal parts: over the last day, or since the oldest where more than that was not read.
export function bars(times: number[], now: number, cut: boolean) {
  if (times.length === 0) return undefined
  const from = Math.max(now - DAY, cut ? Math.min(...times) : 0)
  const width = Math.max(1, now - from) / BARS
  const counts = new Array<number>(BARS).fill(0)
  for (const time of times) {
    const bar = Math.min(BARS - 1, Math.floor((time - from) / width))
    if (bar >= 0) counts[bar]!++
  }
  return { from, width, counts, total: counts.reduce((a, b) => a + b, 0) }
}
