import type { Session } from './types.js'

/** Meta's JavaScript SDK, as far as the kit uses it. */
export interface FacebookSDK {
  init(options: { appId: string; version: string; autoLogAppEvents: boolean; xfbml: boolean }): void
  login(callback: (response?: { authResponse?: { code?: string } | null }) => void, options: Record<string, unknown>): void
}

declare global {
  interface Window {
    FB?: FacebookSDK
    fbAsyncInit?: () => void
  }
}

const loads = new Map<string, Promise<FacebookSDK>>()
const timeout = 15_000
let initialized = ''

/** Loads the SDK once per page, and makes it ours. Rejects when it does not come: blocked, offline, or on an http page. */
export async function loadSDK(session: Session): Promise<FacebookSDK> {
  if (!isSecureContext) throw new Error('no https')
  let load = loads.get(session.sdkUrl)
  if (!load) {
    load = inject(session.sdkUrl)
    loads.set(session.sdkUrl, load)
    load.catch(() => loads.delete(session.sdkUrl))
  }
  const sdk = await load
  const app = session.appId + session.graphVersion
  if (app !== initialized) sdk.init({ appId: session.appId, version: session.graphVersion, autoLogAppEvents: false, xfbml: false })
  initialized = app
  return sdk
}

function inject(url: string): Promise<FacebookSDK> {
  return new Promise((resolve, reject) => {
    // Of the page's own; but what Meta's small loader leaves first only queues calls, and would lose the click.
    if (window.FB && !('__buffer' in window.FB)) return resolve(window.FB)
    const script = document.createElement('script')
    const fail = () => {
      script.remove()
      reject(new Error(url))
    }
    const timer = setTimeout(fail, timeout)
    const before = window.fbAsyncInit
    window.fbAsyncInit = () => {
      before?.()
      clearTimeout(timer)
      if (window.FB) resolve(window.FB)
    }
    script.src = url
    script.async = true
    script.onerror = fail
    document.head.append(script)
  })
}
