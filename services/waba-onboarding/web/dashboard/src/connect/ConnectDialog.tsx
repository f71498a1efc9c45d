import { Button, Modal, TextInput } from '@mantine/core'
import { useEmbeddedSignup, type Session } from '@whatrack/connect/react'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { startOnboarding } from '../api/generated'
import { currentOrganization } from '../api/session'
import { Icon } from '../ui/Icon'
import { ORGANIZATION } from '../ui/OrganizationForm'
import { Foreign } from '../ui/parts'
import { announce } from '../ui/toast'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import css from './connect.module.css'

type Props = { organization?: string; onClose: () => void }

// ConnectDialog runs the signup here, with the operator's own access, for one organization.
export default function ConnectDialog({ organization, onClose }: Props) {
  const { words } = useSpeech()
  const [chosen, choose] = useState(organization || currentOrganization())
  return (
    <Modal opened onClose={onClose} title={words.connect.title} closeButtonProps={{ 'aria-label': words.common.close }} closeOnClickOutside={false}>
      {chosen ? <Signup key={chosen} organization={chosen} onClose={onClose} /> : <WhichOrganization onChosen={choose} />}
    </Modal>
  )
}

function WhichOrganization({ onChosen }: { onChosen: (id: string) => void }) {
  const { words } = useSpeech()
  const [id, setId] = useState('')
  const [wrong, setWrong] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ORGANIZATION.test(id)) onChosen(id)
    else setWrong(true)
  }
  return (
    <form onSubmit={submit} className={css.dialog}>
      <TextInput
        label={words.connect.organizationLabel}
        description={words.connect.organizationHelp}
        error={wrong && words.shell.organizationRule}
        value={id}
        onChange={(e) => setId(e.currentTarget.value.trim())}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        data-autofocus
      />
      <div className={css.actions}>
        <Button type="submit">{words.connect.next}</Button>
      </div>
    </form>
  )
}

function Signup({ organization, onClose }: { organization: string; onClose: () => void }) {
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
  if (state.status === 'connected') return <Connected connection={signup.connection} again={signup.reset} onClose={onClose} />
  return (
    <div className={css.dialog}>
      <p className="muted">{words.connect.dialogLead}</p>
      <p className={css.for}>
        <span className="muted">{words.connection.organization}:</span> <strong>{organization}</strong>
      </p>
      {refusal !== undefined && !signup.ready && <Trouble error={refusal} retry={signup.reset} />}
      {signup.error && refusal === undefined && <Failure error={signup.error} />}
      {state.status === 'choose' && (
        <ul className={css.choices} aria-label={words.connect.whichAccount}>
          {signup.choices.map((c) => (
            <li key={c.wabaId}>
              <button type="button" onClick={() => signup.choose(c.wabaId)}>
                <strong>
                  <Foreign>{c.name}</Foreign>
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

type ConnectedProps = { connection: ReturnType<typeof useEmbeddedSignup>['connection']; again: () => void; onClose: () => void }

function Connected({ connection, again, onClose }: ConnectedProps) {
  const { words } = useSpeech()
  return (
    <div className={`${css.dialog} ${css.connected} ${ui.ok}`}>
      <span className={css.sign}>
        <Icon name="check" size={26} />
      </span>
      <h2 role="status">{words.connect.done}</h2>
      {connection && (
        <p>
          <Foreign>{connection.name}</Foreign>
          {connection.phoneNumbers.map((n) => (
            <span key={n.phoneNumberId} className={`${css.number} numeric`}>
              {n.displayPhoneNumber}
            </span>
          ))}
        </p>
      )}
      <div className={css.actions}>
        <Button variant="default" onClick={again}>
          {words.connect.another}
        </Button>
        {connection && (
          <Button onClick={onClose} renderRoot={(props) => <Link to="/connections/$connectionId" params={{ connectionId: connection.connectionId }} {...props} />}>
            {words.connect.see}
          </Button>
        )}
      </div>
    </div>
  )
}
