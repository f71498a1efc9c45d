import { DAY } from '../format'

const BARS = 24

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
