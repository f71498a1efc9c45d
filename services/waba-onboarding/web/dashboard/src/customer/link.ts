export interface Link {
  token: string
  // The onboarding with which the full-page signup came back.
  onboardingId?: string
  // There was a link before this page was loaded anew.
  lost: boolean
}

// What stays in the history: that there was a link, and nothing of it.
const trace = { link: true }

// takeLink reads what stands in the address, a customer's link or the full-page signup that came back, and takes it out of
// there at once.
export function takeLink(location: Location, history: History): Link {
  const back = /^#whatrack-connect=([!-%'-~]+)&onboarding=([\w-]+)/.exec(location.hash)
  const token = back?.[1] ?? /^#([!-%'-<>-~]+)$/.exec(location.hash)?.[1] ?? ''
  if (token) history.replaceState(trace, '', location.pathname + location.search)
  const lost = !token && (history.state as typeof trace | null)?.link === true
  return { token, lost, ...(back?.[2] && { onboardingId: back[2] }) }
}

// The browsers inside of apps lose popups, and with them the way back. The kit's losesPopups knows them too, but LINE's only
// as the phone that it runs on: it leaves for the full page on every phone, and this hint is for those who can change browsers.
export const inAppBrowser = (userAgent: string) => /FBAN|FBAV|FB_IAB|Instagram|WhatsApp|Line\/|; wv\)/.test(userAgent)
