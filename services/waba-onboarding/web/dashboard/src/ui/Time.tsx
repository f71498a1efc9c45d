import { useEffect, useState } from 'react'
import { useSpeech } from '../words'

// useNow is the time, at most some seconds old, for ages that are on display.
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every)
    return () => clearInterval(timer)
  }, [every])
  return now
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
