import type { Language } from './language'

const SECOND = 1_000
export const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export type Format = ReturnType<typeof makeFormat>

// makeFormat says times and numbers in a language, in the viewer's zone.
export function makeFormat(language: Language, zone?: string) {
  const dateTime = (options: Intl.DateTimeFormatOptions) => {
    const format = once(() => new Intl.DateTimeFormat(language, { timeZone: zone, ...options }))
    return (time: string | number) => format().format(new Date(time))
  }
  const relative = once(() => new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }))
  const dayKey = once(() => new Intl.DateTimeFormat('en-CA', { timeZone: zone }))
  const percent = once(() => new Intl.NumberFormat(language, { style: 'percent' }))
  const count = once(() => new Intl.NumberFormat(language))
  return {
    exact: dateTime({ dateStyle: 'medium', timeStyle: 'medium' }),
    date: dateTime({ day: '2-digit', month: '2-digit', year: 'numeric' }),
    time: dateTime({ hour: '2-digit', minute: '2-digit' }),
    day: dateTime({ weekday: 'long', day: 'numeric', month: 'long' }),
    // The same for all times of one day.
    dayKey: (time: string | number) => dayKey().format(new Date(time)),
    number: (value: number | string) => count().format(Number(value)),
    percent: (value: number) => percent().format(value / 100),
    // Without the dots of abbreviations: it stands at the end of sentences.
    ago: (time: string | number, now: number) => ago(relative(), new Date(time).getTime() - now).replace(/\.(?= |$)/g, ''),
    duration: (milliseconds: number) => duration(language, milliseconds),
  }
}

// once makes what takes a phone's time to make, when it is first needed.
function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

function ago(format: Intl.RelativeTimeFormat, difference: number): string {
  const size = Math.abs(difference)
  if (size < MINUTE) return format.format(Math.trunc(difference / SECOND), 'second')
  if (size < HOUR) return format.format(Math.trunc(difference / MINUTE), 'minute')
  if (size < DAY) return format.format(Math.trunc(difference / HOUR), 'hour')
  if (size < 45 * DAY) return format.format(Math.trunc(difference / DAY), 'day')
  return format.format(Math.trunc(difference / (30 * DAY)), 'month')
}

// In what a duration is said, from a length on.
const UNITS = [
  { from: 2 * DAY, size: DAY, unit: 'day' },
  { from: HOUR, size: HOUR, unit: 'hour' },
  { from: MINUTE, size: MINUTE, unit: 'minute' },
  { from: SECOND, size: SECOND, unit: 'second' },
]

function duration(language: Language, milliseconds: number): string {
  const { size, unit } = UNITS.find(({ from }) => milliseconds >= from) ?? { size: 1, unit: 'millisecond' }
  const value = milliseconds / size
  const digits = unit === 'second' && value < 10 ? 1 : 0
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits }).format(value)
}

// phone writes digits as people read them: +55 11 91234-5678. Meta's own writing of a number is left as it is.
export function phone(number: string | undefined): string {
  if (!number || !/^\+?[0-9]+$/.test(number)) return number ?? ''
  const digits = number.replace('+', '')
  const brazil = /^55(\d{2})(\d{4,5})(\d{4})$/.exec(digits)
  if (brazil) return `+55 ${brazil[1]} ${brazil[2]}-${brazil[3]}`
  const america = /^1(\d{3})(\d{3})(\d{4})$/.exec(digits)
  if (america) return `+1 ${america[1]} ${america[2]}-${america[3]}`
  return `+${digits}`
}

// limit shortens Meta's TIER_10K to 10K; what does not look so stays.
export const limit = (tier: string | undefined) => (tier ?? '').replace(/^TIER_/, '').replace('UNLIMITED', '∞')
