import { useEffect, useSyncExternalStore } from 'react'
import css from './ui.module.css'

let text = ''
let count = 0
const listeners = new Set<() => void>()

// announce says in one short sentence what was just done. Failures do not come this way: they stay where they happened.
export function announce(sentence: string) {
  text = sentence
  count++
  for (const tell of listeners) tell()
}

const subscribe = (tell: () => void) => {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

export function Toasts() {
  const turn = useSyncExternalStore(subscribe, () => count)
  useEffect(() => {
    const timer = setTimeout(() => announceNothing(turn), 4_000)
    return () => clearTimeout(timer)
  }, [turn])
  return (
    <div className={css.toasts} role="status">
      {text && (
        <div key={turn} className={css.toast}>
          {text}
        </div>
      )}
    </div>
  )
}

function announceNothing(turn: number) {
  if (turn === count && text) announce('')
}
