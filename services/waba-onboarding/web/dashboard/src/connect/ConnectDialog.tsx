import { Button, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { currentOrganization, ORGANIZATION } from '../api/session'
import { Dialog } from '../ui/Dialog'
import { Icon } from '../ui/Icon'
import { Foreign } from '../ui/parts'
import { useSpeech } from '../words'
import css from './connect.module.css'
import { ConnectHere } from './ConnectHere'
import { WAYS, type Run, type Way } from './run'
import { SendLink } from './SendLink'

// ConnectDialog connects an account for one organization, in one of two ways.
export default function ConnectDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const { words } = useSpeech()
  const [chosen, choose] = useState(run.organization || currentOrganization())
  const title = run.name ? words.connect.titleAgain : words.connect.title
  return (
    <Dialog onClose={onClose} title={title} closeOnClickOutside={false}>
      {chosen ? <Ways key={chosen} run={run} organization={chosen} onClose={onClose} /> : <WhichOrganization onChosen={choose} />}
    </Dialog>
  )
}

const ICONS = { here: 'phone', link: 'send' } as const

// Ways keeps what was begun in one while the other is on display.
function Ways({ run, organization, onClose }: { run: Run; organization: string; onClose: () => void }) {
  const { words } = useSpeech()
  const [way, show] = useState(run.way)
  const [begun, begin] = useState<readonly Way[]>([run.way])
  const turn = (to: Way) => {
    show(to)
    begin([...new Set([...begun, to])])
  }
  return (
    <div className={css.dialog}>
      <div role="group" aria-label={words.connect.how} className={css.ways}>
        {WAYS.map((w) => (
          <button key={w} type="button" aria-pressed={w === way} onClick={() => turn(w)}>
            <Icon name={ICONS[w]} size={17} />
            {words.connect.way[w]}
          </button>
        ))}
      </div>
      <p className={css.for}>
        <span className="muted">{words.connection.organization}:</span> <strong>{organization}</strong>
        {run.name && (
          <span className={css.forName}>
            <span className="muted">{words.connect.account}:</span>{' '}
            <strong>
              <Foreign short>{run.name}</Foreign>
            </strong>
          </span>
        )}
      </p>
      {begun.includes('here') && (
        <div hidden={way !== 'here'}>
          <ConnectHere organization={organization} onClose={onClose} />
        </div>
      )}
      {begun.includes('link') && (
        <div hidden={way !== 'link'}>
          <SendLink organization={organization} name={run.name} onClose={onClose} />
        </div>
      )}
    </div>
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
