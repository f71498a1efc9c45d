import type { Language } from '../language'
import { reasons } from './reasons.gen'

// reasonWords says what a bare reason means, and what to do; an unknown one stays as it is.
export function reasonWords(reason: string | undefined, language: Language): { happened: string; act: string } | undefined {
  if (!reason) return undefined
  const known = reasons[reason]
  if (!known) return { happened: reason, act: '' }
  const [happened, act] = language === 'en' ? known.en : known.pt
  return { happened, act }
}
