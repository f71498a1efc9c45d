import { metaErrorText, text } from './messages.js'
import type { Failure, Lang, Report, SignupError } from './types.js'

/** Only the operator can mend these. */
const hopeless = ['APP_CREDENTIALS_REJECTED', 'REDIRECT_URI_MISMATCH', 'PERMISSION_DENIED', 'REDIRECT_UNAVAILABLE']

/** The customer must choose or allow something else, so the same token would fail again. */
const needsDialog = ['WABA_NOT_SHARED', 'WABA_CLAIMED_ELSEWHERE', 'WABA_MISMATCH', 'PHONE_NUMBER_NOT_FOUND', 'PERMISSION_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED']

/** What is told of a reason, in the server's words where there are some. */
export function failure(lang: Lang, reason: Failure | (string & {}), message?: string): SignupError {
  const own = text(lang, reason as Exclude<Failure, 'UNKNOWN'>) || `${text(lang, 'unknown')} ${reason}.`
  return { reason, message: message || own, canRetry: !hopeless.includes(reason) }
}

/** What is told of an error of Meta's dialog. */
export function metaFailure(lang: Lang, info: Report): SignupError {
  return {
    reason: 'META_SIGNUP_ERROR',
    message: metaErrorText(lang, info),
    canRetry: true,
    ...(info.errorCode && { errorCode: info.errorCode }),
    ...(info.errorMessage && { metaMessage: info.errorMessage }),
  }
}

/** Tells whether a claim that failed for a reason may be made again with the code that it had. */
export const goodAgain = (reason: string): boolean => !needsDialog.includes(reason)
