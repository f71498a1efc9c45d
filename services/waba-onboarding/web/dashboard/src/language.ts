export type Language = 'pt-BR' | 'en'
export const LANGUAGES: Language[] = ['pt-BR', 'en']

// preferredLanguage is what was chosen here before, else the browser's first that we speak.
export function preferredLanguage(kept: string | null, wanted: readonly string[]): Language {
  if (kept === 'pt-BR' || kept === 'en') return kept
  for (const tag of wanted) {
    if (/^pt\b/i.test(tag)) return 'pt-BR'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

const KEPT = 'whatrack.language'

let spoken: Language | undefined

// spokenLanguage is the one that the dashboard speaks.
export const spokenLanguage = (): Language => (spoken ??= preferredLanguage(read(), navigator.languages))

export function speakFromNow(language: Language) {
  spoken = language
  try {
    localStorage.setItem(KEPT, language)
  } catch {
    // The choice then lasts as long as the page.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEPT)
  } catch {
    return null // storage may be switched off
  }
}
