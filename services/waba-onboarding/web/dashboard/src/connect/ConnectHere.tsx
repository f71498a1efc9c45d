import { Button } from '@mantine/core'
import { useEmbeddedSignup, type Session } from '@whatrack/connect/react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { startOnboarding } from '../api/generated'
import { Icon } from '../ui/Icon'
import { Foreign } from '../ui/parts'
import { announce } from '../ui/toast'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import css from './connect.module.css'
import { Connected } from './Connected'

// ConnectHere runs the signup in this browser, with the operator's own access.
export function ConnectHere({ organization, onClose }: { organization: string; onClose: () => void }) {
  const { words, language } = useSpeech()
  const client = useQueryClient()
  const [refusal, setRefusal] = useState<unknown>()
  const again = () => void client.invalidateQueries()
  const session = async (): Promise<Session> => {
    try {
      const { data } = await startOnboarding({ body: {}, headers: { 'X-Organization-Id': organization }, throwOnError: true })
      setRefusal(undefined)
      return data as unknown as Session // the service leaves no field out
    } catch (error) {
      setRefusal(error)
      throw error
    }
  }
  const signup = useEmbeddedSignup({
    session,
    flow: 'popup',
    lang: language,
    apiUrl: location.origin,
    onConnected: () => {
      announce(words.connect.done)
      again()
    },
    onExit: again,
  })
  const { state } = signup
  if (state.status === 'connected') return <Connected connection={signup.connection ?? undefined} again={signup.reset} onClose={onClose} />
  return (
    <div className={css.dialog}>
      <p className="muted">{words.connect.dialogLead}</p>
      {refusal !== undefined && !signup.ready && <Trouble error={refusal} retry={signup.reset} />}
      {signup.error && refusal === undefined && <Failure error={signup.error} />}
      {state.status === 'choose' && (
        <ul className={css.choices} aria-label={words.connect.whichAccount}>
          {signup.choices.map((c) => (
            <li key={c.wabaId}>
              <button type="button" onClick={() => signup.choose(c.wabaId)}>
                <strong>
                  <Foreign short>{c.name}</Foreign>
                </strong>
                <span className="muted numeric">{c.displayPhoneNumbers.join(', ') || c.wabaId}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <p role="status" className={css.progress} data-busy={signup.busy || state.status === 'loading'}>
        {!signup.error && signup.message}
      </p>
      <div className={css.actions}>
        {state.status !== 'choose' && (
          <Button size="md" onClick={signup.open} disabled={!signup.ready} loading={signup.busy && state.status !== 'open'}>
            {signup.error ? words.common.retry : words.connect.open}
          </Button>
        )}
      </div>
    </div>
  )
}

function Failure({ error }: { error: NonNullable<ReturnType<typeof useEmbeddedSignup>['error']> }) {
  const { words } = useSpeech()
  const code = [error.reason, error.errorCode, error.sessionId].filter(Boolean).join(' · ')
  return (
    <div className={`${ui.note} ${ui.broken}`} role="alert">
      <Icon name="warn" />
      <div className={ui.noteBody}>
        <span>{error.message}</span>
        {error.metaMessage && (
          <q className="muted">
            <Foreign>{error.metaMessage}</Foreign>
          </q>
        )}
        <span className={ui.noteCode}>
          {words.problem.code}: <code>{code}</code>
        </span>
      </div>
    </div>
  )
}
