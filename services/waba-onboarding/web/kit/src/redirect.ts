import type { Session } from './types'

const fragment = /^#whatrack-connect=([\w.~+/=-]+)$/

/** The full-page dialog of a session. */
export function dialogAddress(session: Session, extras: Record<string, unknown>): string {
  const address = new URL(session.dialogUrl)
  const query = {
    client_id: session.appId,
    config_id: session.configId,
    redirect_uri: session.redirectUri ?? '',
    response_type: 'code',
    override_default_response_type: 'true',
    state: session.state,
    extras: JSON.stringify(extras),
  }
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
  return address.href
}

/** What must be known again when the full-page flow comes back. None of it is a secret: those never enter storage. */
export interface Trip {
  onboardingId: string
  apiUrl: string
}

const tripKey = 'whatrack-connect'

export function rememberTrip(trip: Trip): void {
  try {
    sessionStorage.setItem(tripKey, JSON.stringify(trip))
  } catch {
    // Storage is off: the claim goes on, but can not be followed.
  }
}

export function recallTrip(): Trip | undefined {
  try {
    const trip = sessionStorage.getItem(tripKey)
    sessionStorage.removeItem(tripKey)
    return trip ? (JSON.parse(trip) as Trip) : undefined
  } catch {
    return undefined
  }
}

/** Takes the client token out of the address with which the full-page flow came back, or answers undefined. */
export function takeClientToken(): string | undefined {
  const token = fragment.exec(location.hash)?.[1]
  if (!token) return undefined
  cleanAddress()
  // A router that read the address before would write it back later. Once it listens to the history it hears of this.
  setTimeout(cleanAddress)
  return token
}

/** Next.js takes no notice of changes that carry its own marks. */
function cleanAddress(): void {
  const { __NA, _N, ...state } = (history.state ?? {}) as Record<string, unknown>
  history.replaceState(state, '', location.pathname + location.search)
}

/** Phones, and the browsers inside of apps, lose popups. */
export function losesPopups(userAgent: string): boolean {
  return /iPhone|iPod|Android.+Mobile|FBAN|FBAV|FB_IAB|Instagram|WhatsApp|; wv\)/.test(userAgent)
}
