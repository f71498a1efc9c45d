// takeLink reads the token of a customer's link and takes it out of the address at once. What the full-page signup came
// back with is left to the kit.
export function takeLink(location: Location, history: History): { token: string } {
  const token = /^#([!-~]+)$/.exec(location.hash)?.[1] ?? ''
  if (!token || token.startsWith('whatrack-connect=')) return { token: '' }
  history.replaceState(null, '', location.pathname + location.search)
  return { token }
}

// The browsers inside of apps lose popups, and with them the way back.
export const inAppBrowser = (userAgent: string) => /FBAN|FBAV|FB_IAB|Instagram|WhatsApp|Line\/|; wv\)/.test(userAgent)
