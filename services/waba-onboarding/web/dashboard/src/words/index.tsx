import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { makeFormat, type Format } from '../format'
import { preferredLanguage, type Language } from '../language'
import { en } from './en'
import { pt } from './pt'
import { reasons } from './reasons.gen'

export { LANGUAGES, type Language } from '../language'

// Widen makes of the Portuguese words the shape that every language must have: a missing key does not compile.
type Widen<T> = T extends string ? string : T extends (...args: infer A) => string ? (...args: A) => string : T extends readonly string[] ? readonly string[] : { [K in keyof T]: Widen<T[K]> }
export type Words = Widen<typeof pt>

export const WORDS = { 'pt-BR': pt, en } satisfies Record<Language, Words>

const KEPT = 'whatrack.language'

let spoken: Language = 'en'
export const spokenLanguage = () => spoken

type Speech = { language: Language; words: Words; format: Format; speak: (language: Language) => void }
const SpeechContext = createContext<Speech | null>(null)

export function SpeechProvider({ children, onChange }: { children: ReactNode; onChange?: () => void }) {
  const [language, setLanguage] = useState(() => (spoken = preferredLanguage(read(), navigator.languages)))
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const speech = useMemo<Speech>(() => {
    const speak = (next: Language) => {
      spoken = next
      keep(next)
      setLanguage(next)
      onChange?.()
    }
    return { language, words: WORDS[language], format: makeFormat(language), speak }
  }, [language, onChange])
  return <SpeechContext value={speech}>{children}</SpeechContext>
}

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext)
  if (!speech) throw new Error('SpeechProvider is missing')
  return speech
}

// reasonWords says what a bare reason means, and what to do; an unknown one stays as it is.
export function reasonWords(reason: string | undefined, language: Language): { happened: string; act: string } | undefined {
  if (!reason) return undefined
  const known = reasons[reason]
  if (!known) return { happened: reason, act: '' }
  const [happened, act] = language === 'en' ? known.en : known.pt
  return { happened, act }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEPT)
  } catch {
    return null // storage may be switched off
  }
}

function keep(language: Language) {
  try {
    localStorage.setItem(KEPT, language)
  } catch {
    // The choice then lasts as long as the page.
  }
}
