import type { Onboarding, StartOnboardingResponse } from '../api/generated'

// ConnectLink is good for one signup. It lives in memory alone: no address, history or storage of this page holds it.
export type ConnectLink = { onboardingId: string; address: string; expires: number }

// linkOf puts the token into the fragment: browsers send that to no server, and the customer's page takes it out at once.
export const linkOf = (started: StartOnboardingResponse, origin: string): ConnectLink => ({
  onboardingId: started.onboardingId ?? '',
  address: `${origin}/connect#${started.clientToken ?? ''}`,
  expires: new Date(started.expireTime ?? 0).getTime(),
})

export const whatsappShare = (text: string) => `https://wa.me/?text=${encodeURIComponent(text)}`

export const mailShare = (subject: string, text: string) => `mailto:?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(text)}`

// What the sender of a link sees of the customer.
export const STAGES = ['waiting', 'opened', 'left', 'blocked', 'refused', 'choosing', 'connecting', 'connected', 'failed', 'expired'] as const
export type Stage = (typeof STAGES)[number]

const REPORTED = { OPENED: 'opened', FINISHED: 'connecting', CANCELLED: 'left', BLOCKED: 'blocked', FAILED: 'refused', EVENT_UNSPECIFIED: 'waiting' } as const

// stageOf says how far the customer is. A run that was cancelled goes on with the same link while it is good.
export function stageOf(run: Onboarding | undefined, expires: number, now: number): Stage {
  switch (run?.state) {
    case 'CONNECTED':
      return 'connected'
    case 'FAILED':
      return 'failed'
    case 'EXPIRED':
      return 'expired'
    case 'CHOOSING_WABA':
      return 'choosing'
    case 'EXCHANGING':
    case 'CLAIMING':
      return 'connecting'
    default:
      return now >= expires ? 'expired' : REPORTED[run?.signup?.event ?? 'EVENT_UNSPECIFIED']
  }
}

export const isOver = (stage: Stage) => stage === 'connected' || stage === 'failed' || stage === 'expired'
