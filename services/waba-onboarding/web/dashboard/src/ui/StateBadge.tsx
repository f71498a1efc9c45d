import type { ChangeState, ConnectionState, OnboardingState } from '../api/generated'
import { useSpeech } from '../words'
import { Badge, changeTone, connectionTone, onboardingTone, type Tone } from './Badge'

export function ConnectionBadge({ state }: { state: ConnectionState | undefined }) {
  return <StateBadge state={state} tones={connectionTone} words={useSpeech().words.state} />
}

export function OnboardingBadge({ state }: { state: OnboardingState | undefined }) {
  return <StateBadge state={state} tones={onboardingTone} words={useSpeech().words.onboarding} />
}

export function ChangeBadge({ state }: { state: ChangeState | undefined }) {
  return <StateBadge state={state} tones={changeTone} words={useSpeech().words.change} />
}

// StateBadge shows a state that this page does not know by the service's own name of it.
function StateBadge({ state = 'STATE_UNSPECIFIED', tones, words }: { state: string | undefined; tones: Record<string, Tone>; words: Record<string, string> }) {
  return <Badge tone={tones[state] ?? 'idle'}>{words[state] ?? state}</Badge>
}
