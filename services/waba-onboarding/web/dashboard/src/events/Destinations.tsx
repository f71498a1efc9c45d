import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Destination } from '../api/generated'
import { useDestinations } from '../api/live'
import { Badge, destinationTone } from '../ui/Badge'
import { Icon } from '../ui/Icon'
import { Bones, Empty, Foreign, Panel } from '../ui/parts'
import { Ago, useNow } from '../ui/Time'
import { Answered } from '../ui/Trouble'
import { useSpeech } from '../words'
import { isRefusal } from '../words/known'
import { DestinationActions } from './DestinationActions'
import { DestinationAttempts } from './DestinationAttempts'
import { DestinationForm } from './DestinationForm'
import css from './events.module.css'
import { SecretDialog } from './SecretDialog'

export function Destinations() {
  const { words } = useSpeech()
  const [adding, setAdding] = useState(false)
  const [secret, showSecret] = useState('')
  const query = useDestinations()
  const add = (
    <Button leftSection={<Icon name="plus" size={17} />} onClick={() => setAdding(true)}>
      {words.destinations.add}
    </Button>
  )
  return (
    <>
      <Answered query={query} bones={<Panel><Bones lines={5} /></Panel>}>
        {({ items }) =>
          items.length === 0 ? (
            <Panel>
              <Empty icon="send" title={words.destinations.none} lead={words.destinations.noneLead}>
                {add}
              </Empty>
            </Panel>
          ) : (
            <div className={css.destinations}>
              <div className={css.destinationsHead}>
                <p className="muted">{words.destinations.lead}</p>
                {add}
              </div>
              {items.map((d) => (
                <OneDestination key={d.destinationId} destination={d} onSecret={showSecret} />
              ))}
            </div>
          )
        }
      </Answered>
      {adding && (
        <DestinationForm
          onClose={() => setAdding(false)}
          onCreated={(made) => {
            setAdding(false)
            showSecret(made)
          }}
        />
      )}
      {secret && <SecretDialog secret={secret} onClose={() => showSecret('')} />}
    </>
  )
}

function OneDestination({ destination: d, onSecret }: { destination: Destination; onSecret: (secret: string) => void }) {
  const { words, format } = useSpeech()
  const now = useNow()
  const [open, setOpen] = useState(false)
  const state = (d.state ?? 'ACTIVE') as keyof typeof words.destinationState
  const kind = (d.kind ?? 'EVENTS') as keyof typeof words.kind
  const waiting = Number(d.pendingCount ?? 0)
  return (
    <Panel>
      <article className={css.destination}>
        <div className={css.destinationTop}>
          <h2>
            <Foreign>{d.url}</Foreign>
          </h2>
          <Badge tone={destinationTone[d.state ?? 'STATE_UNSPECIFIED']}>{words.destinationState[state]}</Badge>
        </div>
        <ul className={css.facts}>
          <li>{words.kind[kind]}</li>
          <li>{d.eventTypes?.length ? d.eventTypes.join(', ') : words.destinations.allTypes}</li>
          <li>{d.organizationId === '*' ? words.destinations.everyone : d.organizationId}</li>
          <li>{d.lastSuccessTime ? words.destinations.lastSuccess(format.ago(d.lastSuccessTime, now)) : words.destinations.noSuccess}</li>
          {waiting > 0 && (
            <li className={css.waiting}>
              {words.destinations.pending(waiting)} <Ago time={d.pendingSince} />
            </li>
          )}
        </ul>
        {d.reason && (
          <p className={css.refusal}>
            {isRefusal(d.reason) ? words.destinations.refusal : words.destinations.lastFailure}: {words.destinations.failure(d.reason)}
          </p>
        )}
        <DestinationActions destination={d} onSecret={onSecret} open={open} onOpen={setOpen} />
        {open && <DestinationAttempts id={d.destinationId ?? ''} />}
      </article>
    </Panel>
  )
}
