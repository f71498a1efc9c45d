import type { State } from '@whatrack/connect'
import { failure, metaFailure } from '../../../kit/src/failure'
import { cancelledText, text } from '../../../kit/src/messages'
import type { Language } from '../language'

// saidIn says in a language what a state said in another. The service's own sentence of a failure is not known in it: the
// kit's stands for it.
export function saidIn(language: Language, state: State): string {
  if (state.status === 'cancelled') return cancelledText(language, state.step)
  if (state.status !== 'failed') return text(language, state.status)
  const { reason, errorCode } = state.error
  return (errorCode ? metaFailure(language, { event: 'FAILED', errorCode }) : failure(language, reason)).message
}
