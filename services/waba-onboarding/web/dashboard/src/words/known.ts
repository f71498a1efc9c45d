// The open names that the service writes and this page has words for. A test compares them with the service.

// Steps of a claim, in their order.
export const STEPS = ['exchange', 'find', 'hold', 'read', 'subscribe', 'prove', 'bind'] as const
export type StepName = (typeof STEPS)[number]

// Types of an Activity; those that end in the name of a state have their words from that state.
export const ACTIVITIES = [
  'ONBOARDING_STARTED', 'CODE_POSTED', 'CODE_EXCHANGED', 'CLAIM_STARTED', 'CLAIM_RESTARTED', 'CLAIM_FAILED', 'CHOICE_OFFERED', 'WABA_CHOSEN',
  'WABA_HELD', 'CONNECTED', 'CHECKED', 'SUBSCRIPTION_PROVEN', 'SUBSCRIPTION_FAILED', 'NUMBER_FOUND', 'NUMBER_REGISTRATION_STARTED',
  'DISCONNECT_REQUESTED', 'UNSUBSCRIBE_FAILED', 'DISCONNECTED', 'DESTINATION_CREATED', 'DESTINATION_URL_CHANGED', 'DESTINATION_SECRET_ROTATED', 'DESTINATION_DELETED',
] as const
export type ActivityName = (typeof ACTIVITIES)[number]

export const GROUPS = ['access', 'webhooks', 'numbers', 'people'] as const
export type ActivityGroup = (typeof GROUPS)[number]

// isRefusal tells of why an event did not arrive whether the receiver answered so. Else it gave no answer.
export const isRefusal = (failure: string) => /^HTTP \d+$/.test(failure)
