import { useQuery } from '@tanstack/react-query'
import type { Onboarding } from '../api/generated'
import { getOnboardingOptions } from '../api/generated/@tanstack/react-query.gen'
import { metaStep, reached } from '../attempts/reached'
import { TONE_ICONS, type Tone } from '../ui/Badge'
import { Icon } from '../ui/Icon'
import { useSpeech, type Words } from '../words'
import ui from '../ui/ui.module.css'
import { isOver, stageOf, type ConnectLink, type Stage } from './link'

const TONES: Record<Stage, Tone> = {
  waiting: 'idle', opened: 'busy', left: 'warn', blocked: 'warn', refused: 'warn', choosing: 'busy', connecting: 'busy', connected: 'ok', failed: 'broken', expired: 'idle',
}

// useRun follows what becomes of a link. A poll: what the customer's page reports does not change the state, which is what
// WaitOnboarding waits for.
export function useRun({ onboardingId, expires }: ConnectLink): Onboarding | undefined {
  const { data } = useQuery({
    ...getOnboardingOptions({ path: { onboardingId } }),
    refetchInterval: ({ state }) => (isOver(stageOf(state.data, expires, Date.now())) ? false : 2_000),
  })
  return data
}

// Follow says in one sentence how far the customer is.
export function Follow({ run, stage }: { run: Onboarding | undefined; stage: Stage }) {
  const { words } = useSpeech()
  const tone = TONES[stage]
  return (
    <div className={`${ui.note} ${ui[tone]}`}>
      <Icon name={stage === 'waiting' ? 'attempts' : TONE_ICONS[tone]} />
      <div className={ui.noteBody}>
        <span role="status">{sentence(stage, run, words)}</span>
        {stage === 'failed' && run?.nextAction && <span>{run.nextAction}.</span>}
        {stage === 'failed' && run?.reason && (
          <span className={ui.noteCode}>
            {words.problem.code}: <code>{run.reason}</code>
          </span>
        )}
      </div>
    </div>
  )
}

function sentence(stage: Stage, run: Onboarding | undefined, words: Words): string {
  const said = words.connect.follow[stage]
  if (stage === 'connecting' && run) return `${said}: ${reached(run, words).toLowerCase()}.`
  if (stage === 'failed' && run?.message) return `${said}: ${run.message}.`
  if (stage === 'left' && run?.signup?.step) return words.connect.leftAt(metaStep(run.signup.step, words))
  return said
}
