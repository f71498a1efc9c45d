import type { Activity } from '../api/generated'
import type { Tone } from '../ui/Badge'
import type { Words } from '../words'
import type { ActivityGroup } from '../words/known'

// activityTitle says what happened. Types that end in a state take their words from it; an unknown one stays readable.
export function activityTitle(type: string, words: Words): string {
  const known = (words.activity as Record<string, string>)[type]
  if (known) return known
  const [, family = '', rest = ''] = /^(STATE|NUMBER|META|SIGNUP|SYNC|DESTINATION)_(.+)$/.exec(type) ?? []
  return FAMILIES[family]?.(rest, words) ?? readable(type)
}

// What stands behind the first word of a composed type.
const FAMILIES: Record<string, (rest: string, words: Words) => string> = {
  STATE: (rest, words) => words.activityOf.state(of(words.state, rest)),
  NUMBER: (rest, words) => words.activityOf.number(of(words.registration, rest)),
  META: (rest, words) => words.activityOf.meta(of(words.metaEvent, rest)),
  SIGNUP: (rest, words) => of(words.signup, rest),
  DESTINATION: (rest, words) => words.activityOf.destination(of(words.destinationState, rest)),
  SYNC: (rest, words) => {
    const [part = '', ...state] = rest.split('_')
    const parts = { CONTACTS: words.connection.syncContacts, HISTORY: words.connection.syncHistory }
    return words.activityOf.sync(of(parts, part), of(words.sync, state.join('_')))
  },
}

const of = (names: Record<string, string>, name: string) => names[name] ?? readable(name)


const readable = (name = '') => (name.charAt(0) + name.slice(1).toLowerCase()).replaceAll('_', ' ')

const isService = (actor: string | undefined) => !actor || actor === 'waba-onboarding' || actor === 'token-broker' || actor === 'meta'

// activityGroups are the filters that an activity answers to.
export function activityGroups({ type = '', actor }: Activity): ActivityGroup[] {
  const groups: ActivityGroup[] = []
  if (/^(NUMBER|SYNC)_/.test(type)) groups.push('numbers')
  else if (/^(SUBSCRIPTION|META|DESTINATION|CHANGE)_/.test(type)) groups.push('webhooks')
  else groups.push('access')
  if (!isService(actor)) groups.push('people')
  return groups
}

export function activityTone(type = ''): Tone {
  if (/FAILED|RECONNECT_REQUIRED|REMOVED|INVALID|EXPIRED$|UNINSTALLED|DELETED/.test(type)) return 'broken'
  if (/ATTENTION|PIN_REQUIRED|WAITING|CHOICE|DISCONNECT/.test(type)) return 'warn'
  if (/^(CONNECTED|SUBSCRIPTION_PROVEN|STATE_CONNECTED|NUMBER_REGISTERED|CODE_EXCHANGED)$|_DONE$/.test(type)) return 'ok'
  return 'idle'
}

export function actorName(actor: string | undefined, words: Words): string {
  if (actor === 'meta' || actor === 'customer') return words.actor[actor]
  return isService(actor) ? words.actor.service : (actor ?? '')
}
