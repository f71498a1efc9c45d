import type { Onboarding } from '../api/generated'
import type { Words } from '../words'
import { STEPS } from '../words/known'

// reached says how far a run went: the step of the claim where there is one, else what the page told of Meta's window.
export function reached(o: Onboarding, words: Words): string {
  const steps = o.steps ?? []
  const open = steps.findIndex((s) => s.state !== 'DONE' && s.state !== 'SKIPPED')
  if (steps.length > 0 && open === -1) return words.attempts.finished
  if (steps[open] && (open > 0 || steps[open].state !== 'PENDING')) {
    const name = STEPS.find((s) => s === steps[open]?.name)
    return name ? words.step[name] : (steps[open].name ?? '')
  }
  const event = o.signup?.event
  if (!event || event === 'EVENT_UNSPECIFIED') return '—'
  const step = o.signup?.step ? metaStep(o.signup.step, words) : ''
  return step ? `${words.signup[event]}: ${step}` : words.signup[event]
}

export const metaStep = (step: string, words: Words) => words.metaStep[step] ?? step.toLowerCase().replaceAll('_', ' ')
