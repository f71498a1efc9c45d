import { useEffect, useReducer } from 'react'
import { useSpeech } from '../words'

// useNow is the time, for ages that are on display: they are said anew every some seconds. It is the time of the drawing,
// not of the last tick: a fact that just arrived would lie in the future.
export function useNow(every = 10_000): number {
  const [, draw] = useReducer((turn: number) => turn + 1, 0)
  useEffect(() => {
    const timer = setInterval(draw, every)
    return () => clearInterval(timer)
  }, [every])
  return Date.now()
}

// Ago is a time as people say it; the exact one is there for who asks.
export function Ago({ time, fallback }: { time: string | undefined; fallback?: string }) {
  const { format } = useSpeech()
  const now = useNow()
  if (!time) return <span className="muted">{fallback}</span>
  return (
    <time dateTime={time} title={format.exact(time)} className="nowrap">
      {format.ago(time, now)}
    </time>
  )
}
