import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ChangeState, ConnectionState, DestinationState, Direction, Event, Kind, MessageState, OnboardingState, Registration, StepState, SyncPartState,
} from '../src/api/generated'
import { activityTitle } from '../src/connection/activity'
import { WORDS } from '../src/words'
import { ACTIVITIES, STEPS } from '../src/words/known'
import { reasons } from '../src/words/reasons.gen'

const root = new URL('../../../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const languages = Object.entries(WORDS)

describe.each(languages)('the words of %s', (_, words) => {
  const enums: [string, Record<string, string>, Record<string, string>][] = [
    ['state', ConnectionState, words.state], ['tabs', ConnectionState, words.tabs], ['onboarding', OnboardingState, words.onboarding],
    ['stepState', StepState, words.stepState], ['signup', Event, words.signup], ['registration', Registration, words.registration],
    ['sync', SyncPartState, words.sync], ['message', MessageState, words.message], ['direction', Direction, words.direction],
    ['change', ChangeState, words.change], ['destinationState', DestinationState, words.destinationState], ['kind', Kind, words.kind],
  ]
  test.each(enums)('name every value of %s that the API can answer', (_, values, said) => {
    const answered = Object.keys(values).filter((v) => !v.endsWith('UNSPECIFIED'))
    expect(Object.keys(said).sort()).toEqual(answered.sort())
  })

  test('name every state of a token that the broker knows', () => {
    const body = /message Token \{\s+enum State \{([^}]*)\}/.exec(read('proto/whatrack/tokenbroker/v1/token_broker.proto'))?.[1] ?? ''
    const states = [...body.matchAll(/^\s*([A-Z_]+) = [1-9]/gm)].map((m) => m[1])
    expect(states.length).toBeGreaterThan(3)
    expect(states.filter((s) => !(words.tokenState as Record<string, string>)[s!])).toEqual([])
  })

  test('are never empty', () => {
    const walk = (value: unknown, path: string): string[] => {
      if (typeof value === 'string') return value.trim() ? [] : [path]
      if (typeof value !== 'object' || value === null) return []
      return Object.entries(value).flatMap(([key, v]) => walk(v, `${path}.${key}`))
    }
    expect(walk(words, '')).toEqual([])
  })

  test('say every activity that the service writes', () => {
    const raw = activitiesOfTheService().filter((type) => activityTitle(type, words) === readable(type))
    expect(raw).toEqual([])
  })
})

test.each(languages)('composed activities have words in %s', (_, words) => {
  const composed = [
    ...Object.keys(ConnectionState).map((s) => `STATE_${s}`), ...Object.keys(Registration).map((s) => `NUMBER_${s}`), ...Object.keys(Event).map((s) => `SIGNUP_${s}`),
    ...Object.keys(DestinationState).map((s) => `DESTINATION_${s}`), ...Object.keys(SyncPartState).flatMap((s) => [`SYNC_CONTACTS_${s}`, `SYNC_HISTORY_${s}`]),
  ].filter((type) => !type.endsWith('UNSPECIFIED'))
  for (const type of composed) {
    const rest = type.replace(/^[A-Z]+_(CONTACTS_|HISTORY_)?/, '')
    expect(activityTitle(type, words)).not.toContain(rest)
    expect(activityTitle(type, words).toLowerCase()).not.toBe(readable(type).toLowerCase())
  }
})

const readable = (name: string) => (name.charAt(0) + name.slice(1).toLowerCase()).replaceAll('_', ' ')

// Types stand in the calls that write them; those that are composed begin with STATE_, NUMBER_ or META_.
function activitiesOfTheService(): string[] {
  const found = new Set<string>()
  for (const folder of ['store', 'connection', 'onboarding', 'webhook']) {
    const path = `services/waba-onboarding/internal/${folder}/`
    for (const file of readdirSync(new URL(path, root)).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go'))) {
      for (const m of read(path + file).matchAll(/(?:activity\(|Activity(?::| =) )"([A-Z_]+)"/g)) if (!m[1]!.endsWith('_')) found.add(m[1]!)
    }
  }
  expect(found.size).toBeGreaterThan(10)
  return [...found]
}

test('why an event did not arrive is said in Portuguese, whatever the service says', () => {
  const failures = [...read('services/internal/egress/failure.go').matchAll(/Failure += "(.*)"/g)].map((m) => m[1]!)
  failures.push(...[...read('services/waba-onboarding/internal/destination/send.go').matchAll(/attempt\.Error = (?:fmt\.Sprintf\()?"([^"]*[a-z][^"]*)"/g)].map((m) => m[1]!))
  expect(failures.length).toBeGreaterThan(9)
  expect(failures.filter((f) => WORDS['pt-BR'].destinations.failure(f) === f && !/^HTTP %d$/.test(f))).toEqual([])
})

test.each(languages)('a message without a text says what it is, in %s', (_, words) => {
  for (const type of ['audio', 'sticker', 'image', 'video', 'document', 'location', 'contacts', 'reaction']) expect(words.messages.kind(type)).toMatch(/^[A-ZÁ]/)
  expect(words.messages.kind('newer')).toBe('[newer]')
})

test('steps are those of the service, in their order', () => {
  const comment = /\/\/ (exchange.*): always all, in this order/.exec(read('proto/whatrack/wabaonboarding/v1/onboarding.proto'))?.[1]
  expect(comment?.split(', ')).toEqual([...STEPS])
})

test('no activity is known twice', () => {
  expect(new Set(ACTIVITIES).size).toBe(ACTIVITIES.length)
})

test('every reason of the contract is explained in both languages', () => {
  const contract = [...read('proto/whatrack/errors/v1/errors.proto').matchAll(/^\s+([A-Z_]+) = [1-9]\d*;/gm)].map((m) => m[1]!)
  expect(contract.length).toBeGreaterThan(40)
  expect(Object.keys(reasons).sort()).toEqual(contract.sort())
  for (const { pt, en } of Object.values(reasons)) expect([...pt, ...en].every((s) => s.length > 0)).toBe(true)
})

test('the explanations are those of docs/errors.md', () => {
  const document = read('docs/errors.md')
  for (const { pt, en } of Object.values(reasons)) {
    for (const sentence of [...pt, ...en]) expect(document).toContain(sentence)
  }
})
