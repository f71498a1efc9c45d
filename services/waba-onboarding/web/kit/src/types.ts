/** The languages of every text. */
export type Lang = 'pt-BR' | 'en'

/** Where the signup opens: a popup, the whole page, or whichever of the two works here. */
export type Flow = 'auto' | 'popup' | 'redirect'

/** What StartOnboarding answers, as your back end passes it on. */
export interface Session {
  onboardingId: string
  appId: string
  configId: string
  graphVersion: string
  sdkUrl: string
  dialogUrl: string
  messageOrigins: string[]
  extras: Record<string, unknown>
  state: string
  clientToken: string
  /** RFC 3339. */
  expireTime: string
  /** Of the full-page flow; empty where there is none. */
  redirectUri?: string
}

/** A run of the signup to go on with, as the full-page flow brings it back. */
export interface Return {
  onboardingId: string
  clientToken: string
}

/** A WhatsApp Business Account that the customer shared. */
export interface Choice {
  wabaId: string
  name: string
  displayPhoneNumbers: string[]
}

/** A claimed WhatsApp Business Account. The API has more fields than these. */
export interface Connection {
  connectionId: string
  organizationId: string
  wabaId: string
  name: string
  state: string
  phoneNumbers: { phoneNumberId: string; displayPhoneNumber: string; verifiedName: string; [field: string]: unknown }[]
  [field: string]: unknown
}

/** A run of the signup, as the server answers it. */
export interface Onboarding {
  onboardingId: string
  state: 'STARTED' | 'EXCHANGING' | 'CHOOSING_WABA' | 'CLAIMING' | 'CONNECTED' | 'FAILED' | 'CANCELLED' | 'EXPIRED'
  reason: string
  message: string
  nextAction: string
  steps?: { name: string; state: string }[]
  choices?: Choice[]
  connection?: Connection | null
  signup?: Partial<Report> | null
}

/** Why a signup did not lead to a connection. */
export interface SignupError {
  /** An ErrorReason of the API, or one of the kit's own: see `Failure`. Never changes its meaning. */
  reason: string
  /** For the customer, in their language. */
  message: string
  /** Whether open() may help once more. */
  canRetry: boolean
  /** Meta's error code of the signup. */
  errorCode?: string
  /** Meta's own words, to be shown as a quotation. */
  metaMessage?: string
  /** Meta's id of the run, to quote to Meta's support. */
  sessionId?: string
}

/** Reasons that the kit itself gives. */
export type Failure =
  | 'POPUP_BLOCKED'
  | 'SDK_UNAVAILABLE'
  | 'SESSION_UNAVAILABLE'
  | 'REDIRECT_UNAVAILABLE'
  | 'CODE_MISSING'
  | 'NETWORK'
  | 'OUT_OF_SIGHT'
  | 'META_SIGNUP_ERROR'
  | 'UNKNOWN'

interface Common {
  /** What is going on, in the customer's language: for an element with role="status". */
  message: string
  /** open() works now. */
  ready: boolean
  /** Something moves by itself: a popup is open, or a claim goes on. */
  busy: boolean
  /** The run that this is about, to quote to support. */
  onboardingId?: string
}

/** Where the signup stands. Each change is a new object. */
export type State = Common &
  (
    | { status: 'loading' | 'ready' | 'open' | 'exchanging' | 'claiming' }
    | { status: 'choose'; choices: Choice[] }
    | { status: 'connected'; connection: Connection | null }
    | { status: 'cancelled'; step?: string }
    | { status: 'failed'; error: SignupError }
  )

export type Status = State['status']

/** What happened in the popup, as it is reported to the server. */
export interface Report {
  event: 'OPENED' | 'FINISHED' | 'CANCELLED' | 'FAILED' | 'BLOCKED'
  step?: string
  errorCode?: string
  errorMessage?: string
  sessionId?: string
  wabaId?: string
  phoneNumberId?: string
}

/** For analytics: each change of state, and each step of the popup. */
export type SignupEvent = { onboardingId?: string } & ({ name: Status } | ({ name: 'report' } & Report))

export interface Options {
  /** Asks your back end for what StartOnboarding answers. Called when the signup loads, before a session runs out, and once a code has spent one. */
  session: () => Promise<Session>
  flow?: Flow
  lang?: Lang
  /** The address of waba-onboarding; by default that of the session's redirectUri, or where connect.js came from. */
  apiUrl?: string
  /** The customer keeps using the WhatsApp Business app. A function is asked when the signup opens. */
  coexistence?: boolean | (() => boolean)
  /** Follows a run that began elsewhere, and opens nothing until it is over. */
  resume?: Return
  onConnected?: (connection: Connection | null, onboardingId: string) => void
  /** The run ended without a connection: null when the customer left, which is no error. */
  onExit?: (error: SignupError | null, about: { onboardingId?: string; step?: string }) => void
  onEvent?: (event: SignupEvent) => void
}
