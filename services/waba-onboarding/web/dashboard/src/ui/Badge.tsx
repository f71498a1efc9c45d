import type { ConnectionState, OnboardingState, ChangeState, DestinationState, MessageState } from '../api/generated'
import type { Level } from '../chain'
import { Icon, type IconName } from './Icon'
import css from './ui.module.css'

export type Tone = Level | 'busy'

export const TONE_ICONS: Record<Tone, IconName> = { ok: 'check', warn: 'warn', broken: 'cross', idle: 'dash', busy: 'busy' }

// Badge is a state in words, with a picture and a color that say the same.
export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={`${css.badge} ${css[tone]}`}>
      <Icon name={TONE_ICONS[tone]} size={14} />
      {children}
    </span>
  )
}

export const connectionTone: Record<ConnectionState, Tone> = {
  STATE_UNSPECIFIED: 'idle', CLAIMING: 'busy', CONNECTED: 'ok', ATTENTION: 'warn', RECONNECT_REQUIRED: 'broken', DISCONNECTED: 'idle',
}

export const onboardingTone: Record<OnboardingState, Tone> = {
  STATE_UNSPECIFIED: 'idle', STARTED: 'idle', EXCHANGING: 'busy', CHOOSING_WABA: 'warn', CLAIMING: 'busy', CONNECTED: 'ok', FAILED: 'broken', CANCELLED: 'idle', EXPIRED: 'idle',
}

export const changeTone: Record<ChangeState, Tone> = {
  STATE_UNSPECIFIED: 'idle', RESOLVED: 'ok', WAITING: 'warn', UNPARSED: 'broken', IGNORED: 'idle',
}

export const destinationTone: Record<DestinationState, Tone> = {
  STATE_UNSPECIFIED: 'idle', ACTIVE: 'ok', HELD: 'broken', DISABLED: 'idle',
}

export const messageTone: Record<MessageState, Tone> = {
  STATE_UNSPECIFIED: 'idle', RECEIVED: 'idle', SENDING: 'busy', ACCEPTED: 'idle', SENT: 'idle', DELIVERED: 'ok', READ: 'ok', FAILED: 'broken', UNKNOWN: 'warn',
}
