import type { Report } from './types.js'

/** Longer messages are none of Meta's. */
const maxMessage = 16 << 10

/**
 * Reads a `message` event's data as Embedded Signup's session info, a JSON string or an object; anything else is null.
 * The sender must have been checked. What does not have the form the server takes is left out.
 */
export function readSessionInfo(data: unknown): Report | null {
  const info = object(typeof data === 'string' ? parse(data) : data)
  if (info['type'] !== 'WA_EMBEDDED_SIGNUP' || typeof info['event'] !== 'string') return null
  const about = object(info['data'])
  if (info['event'].startsWith('FINISH')) {
    return { event: 'FINISHED', ...field('wabaId', about['waba_id'], id), ...field('phoneNumberId', about['phone_number_id'], id) }
  }
  // A customer who reports an error leaves by CANCEL too.
  if (info['event'] === 'ERROR' || (info['event'] === 'CANCEL' && (about['error_code'] || about['error_message']))) {
    return {
      event: 'FAILED',
      ...field('errorCode', about['error_code'], /^[A-Za-z0-9_.-]{1,64}$/),
      ...field('errorMessage', String(about['error_message'] ?? '').slice(0, 256), /^[^]+$/),
      ...field('sessionId', about['session_id'], /^[!-~]{1,128}$/),
    }
  }
  if (info['event'] === 'CANCEL') return { event: 'CANCELLED', ...field('step', about['current_step'], /^[A-Za-z0-9_]{1,64}$/) }
  return null
}

const id = /^[0-9]{1,32}$/

function field(name: keyof Report, value: unknown, form: RegExp): Partial<Report> {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && form.test(text) ? { [name]: text } : {}
}

function parse(text: string): unknown {
  try {
    return text.length > maxMessage ? null : JSON.parse(text)
  } catch {
    return null // the SDK's own messages are no JSON
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/**
 * Tells whether a message came from our popup. Its origin must be one of the session's exactly, and its sender the popup:
 * another signup of this page has one too. Where the popup is not known, this window opened its sender, as far as can be
 * read. A window that is closed already is no longer itself, and has no opener to read.
 */
export function isFromPopup(event: MessageEvent, origins: string[], popup: Window | null | undefined): boolean {
  if (!origins.includes(event.origin)) return false
  const source = event.source as Window | null
  if (!source || source === popup) return true
  try {
    return source.closed ? !popup || popup.closed : !popup && source.opener === window
  } catch {
    return true
  }
}
