import type { Return, Session } from './types.js'

const fragment = /^#whatrack-connect=([\w.~+/=-]+)(?:&onboarding=([\w-]+))?/

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

/** Takes what the full-page flow came back with out of the address, or answers undefined. */
export function takeReturn(): Return | undefined {
  const [, clientToken, onboardingId] = fragment.exec(location.hash) ?? []
  if (!clientToken) return undefined
  cleanAddress()
  // A router that read the address before would write it back later. Once it listens to the history it hears of this.
  setTimeout(cleanAddress)
  return onboardingId ? { clientToken, onboardingId } : undefined
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
