import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { postForSession } from './session.js'
import { Signup } from './signup.js'
import type { Choice, Connection, Options, SignupError, State } from './types.js'

export type * from './types.js'

export interface EmbeddedSignup {
  /** For onClick as it is. */
  open: () => void
  choose: (wabaId: string) => void
  reset: () => void
  state: State
  ready: boolean
  busy: boolean
  /** For an element with role="status". */
  message: string
  error: SignupError | undefined
  /** The accounts to choose from; empty unless the state is `choose`. */
  choices: Choice[]
  connection: Connection | null
}

const onServer: State = { status: 'loading', message: '', ready: false, busy: false }

/** Connects a WhatsApp account. Options may change with each render; those of the moment count. */
export function useEmbeddedSignup(options: Options): EmbeddedSignup {
  const latest = useRef(options)
  useEffect(() => {
    latest.current = options
  })
  const [signup] = useState(() => new Signup(live(latest)))
  useEffect(() => signup.mount(), [signup])
  const state = useSyncExternalStore(signup.subscribe, signup.getState, () => onServer)
  const { open, choose, reset } = signup
  const { ready, busy, message } = state
  return {
    open,
    choose,
    reset,
    state,
    ready,
    busy,
    message,
    error: state.status === 'failed' ? state.error : undefined,
    choices: state.status === 'choose' ? state.choices : [],
    connection: state.status === 'connected' ? state.connection : null,
  }
}

/** The options of the last render, each asked for when it is needed. */
function live(latest: { current: Options }): Options {
  return new Proxy(latest.current, { get: (_, name) => Reflect.get(latest.current, name) })
}

export interface WhatsAppOnboarding {
  status: 'idle' | 'pending' | 'checking' | 'success'
  error: string | null
  sdkReady: boolean
  startOnboarding: () => void
  reset: () => void
  setError: (error: string | null) => void
  setStatus: (status: WhatsAppOnboarding['status']) => void
  /** When the customer shared several accounts: show them, and hand one to choose. */
  choices: Choice[]
  choose: (wabaId: string) => void
}

const statuses = {
  loading: 'idle',
  ready: 'idle',
  open: 'pending',
  exchanging: 'checking',
  claiming: 'checking',
  choose: 'checking',
  connected: 'success',
  cancelled: 'idle',
  failed: 'idle',
} as const satisfies Record<State['status'], WhatsAppOnboarding['status']>

/**
 * The same signup in the form of Whatrack's own hook, so that a component that uses that one need not change.
 * What is set by setError and setStatus counts until the signup moves on.
 */
export function useWhatsAppOnboarding(
  onSuccess?: (connection: Connection | null) => void,
  options?: Partial<Options>,
): WhatsAppOnboarding {
  const signup = useEmbeddedSignup({
    session: postForSession('/api/whatsapp/session'),
    ...options,
    onConnected: (connection, onboardingId) => {
      options?.onConnected?.(connection, onboardingId)
      onSuccess?.(connection)
    },
  })
  const { state, choices, choose, open, reset } = signup
  const [set, change] = useState<{ of?: State; status?: WhatsAppOnboarding['status']; error?: string | null }>({})
  const overrides = set.of === state ? set : {}
  return {
    status: overrides.status ?? statuses[state.status],
    error: overrides.error !== undefined ? overrides.error : (signup.error?.message ?? null),
    sdkReady: signup.ready,
    startOnboarding: open,
    reset,
    setError: (error) => change({ ...overrides, of: state, error }),
    setStatus: (status) => change({ ...overrides, of: state, status }),
    choices,
    choose,
  }
}
