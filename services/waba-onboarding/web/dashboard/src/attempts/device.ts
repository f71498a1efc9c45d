// device says in a few words which browser and system a user agent names.
export function device(userAgent: string | undefined): string {
  if (!userAgent) return ''
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? ''
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? ''
  return [browser, system].filter(Boolean).join(' · ') || userAgent.slice(0, 60)
}

// The order matters: most browsers claim to be others too.
const SYSTEMS: [RegExp, string][] = [[/iPhone|iPod/, 'iPhone'], [/iPad/, 'iPad'], [/Android/, 'Android'], [/Windows/, 'Windows'], [/CrOS/, 'ChromeOS'], [/Mac OS X|Macintosh/, 'macOS'], [/Linux/, 'Linux']]
const BROWSERS: [RegExp, string][] = [
  [/Instagram/, 'Instagram'], [/FBAN|FBAV|FB_IAB/, 'Facebook'], [/WhatsApp/, 'WhatsApp'], [/EdgA?\//, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser/, 'Samsung Internet'],
  [/Firefox|FxiOS/, 'Firefox'], [/Chrome|CriOS/, 'Chrome'], [/Safari/, 'Safari'],
]
