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
