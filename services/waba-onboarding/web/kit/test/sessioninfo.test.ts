import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSessionInfo } from '../src/sessioninfo'

const info = (event: string, data?: unknown) => ({ type: 'WA_EMBEDDED_SIGNUP', event, version: 3, data })

test('each event of the signup', () => {
  const cases: [object, unknown][] = [
    [info('FINISH', { phone_number_id: '1', waba_id: '2' }), { event: 'FINISHED', wabaId: '2', phoneNumberId: '1' }],
    [info('FINISH_ONLY_WABA', { waba_id: 2 }), { event: 'FINISHED', wabaId: '2' }],
    [info('FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING', { waba_id: '2' }), { event: 'FINISHED', wabaId: '2' }],
    [info('FINISH_OF_NEXT_YEAR'), { event: 'FINISHED' }],
    [info('CANCEL', { current_step: 'PERMISSIONS' }), { event: 'CANCELLED', step: 'PERMISSIONS' }],
    [info('CANCEL'), { event: 'CANCELLED' }],
    [info('ERROR', { error_message: 'no' }), { event: 'FAILED', errorMessage: 'no' }],
    [info('ERROR', { error_code: 3441041, session_id: 's' }), { event: 'FAILED', errorCode: '3441041', sessionId: 's' }],
  ]
  for (const [data, want] of cases) {
    assert.deepEqual(readSessionInfo(data), want)
    assert.deepEqual(readSessionInfo(JSON.stringify(data)), want)
  }
})

test('what has no good form is left out, so that the server takes the rest', () => {
  const data = { waba_id: '2; drop', phone_number_id: { toString: () => '1' }, current_step: 'a b', session_id: 'é', error_code: '\n' }
  assert.deepEqual(readSessionInfo(info('FINISH', data)), { event: 'FINISHED' })
  assert.deepEqual(readSessionInfo(info('CANCEL', { current_step: 'a b' })), { event: 'CANCELLED' })
  const error = readSessionInfo(info('ERROR', { ...data, error_message: 'x'.repeat(5000) }))
  assert.deepEqual(error, { event: 'FAILED', errorMessage: 'x'.repeat(256) })
})
