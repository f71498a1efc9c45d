import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { makeFormat, type Format } from '../format'
import { speakFromNow, spokenLanguage, type Language } from '../language'
import { en } from './en'
import { pt } from './pt'

export { LANGUAGES, type Language } from '../language'

// Widen makes of the Portuguese words the shape that every language must have: a missing key does not compile.
type Widen<T> = T extends string ? string : T extends (...args: infer A) => string ? (...args: A) => string : T extends readonly string[] ? readonly string[] : { [K in keyof T]: Widen<T[K]> }
export type Words = Widen<typeof pt>

export const WORDS = { 'pt-BR': pt, en } satisfies Record<Language, Words>

type Speech = { language: Language; words: Words; format: Format; speak: (language: Language) => void }
const SpeechContext = createContext<Speech | null>(null)

export function SpeechProvider({ children, onChange }: { children: ReactNode; onChange?: () => void }) {
  const [language, setLanguage] = useState(spokenLanguage)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const speech = useMemo<Speech>(() => {
    const speak = (next: Language) => {
      speakFromNow(next)
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
