import { isFromPopup, readSessionInfo } from './sessioninfo.js'
import type { FacebookSDK } from './sdk.js'
import type { Report, Session } from './types.js'

/** How long after its window closed the SDK may take to say so. */
const grace = 3_000

export interface Popup {
  /** The browser did not let it open. */
  blocked: boolean
  /** Stops to listen to it. A code still arrives. */
  stop: () => void
}

interface Heard {
  /** What Meta's window says of itself: before the answer, after it, or never. */
  info: (info: Report) => void
  /** FB.login's answer: a code, or undefined for a window that was closed. */
  answer: (code: string | undefined) => void
}

/** Opens the dialog in a popup. Must run in the click. */
export function openPopup(sdk: FacebookSDK, session: Session, extras: Record<string, unknown>, heard: Heard): Popup {
  // The SDK does not tell whether its window opened, so the window is caught as it opens.
  let popup: Window | null | undefined
  let blocked = false
  const listen = (event: MessageEvent) => {
    const info = isFromPopup(event, session.messageOrigins, popup) && readSessionInfo(event.data)
    if (info) heard.info(info)
  }
  window.addEventListener('message', listen)
  const original = window.open
  window.open = (...args) => (popup = original.apply(window, args))
  try {
    sdk.login(
      (response) => {
        const code = response?.authResponse?.code
        if (code) heard.answer(code)
        else queueMicrotask(() => blocked || heard.answer(undefined)) // it may answer before it is known to be blocked
      },
      { config_id: session.configId, response_type: 'code', override_default_response_type: true, extras },
    )
  } catch {
    popup = null
  } finally {
    window.open = original
  }
  const watch = setInterval(() => {
    if (!popup?.closed) return
    clearInterval(watch)
    setTimeout(() => heard.answer(undefined), grace)
  }, 500)
  blocked = popup === null || Boolean(popup?.closed)
  return {
    blocked,
    stop: () => {
      window.removeEventListener('message', listen)
      clearInterval(watch)
    },
  }
}
