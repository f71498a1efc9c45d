import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Destination, DestinationAttempt } from '../api/generated'
import { deleteDestinationMutation, rotateDestinationSecretMutation, testDestinationMutation, updateDestinationMutation } from '../api/generated/@tanstack/react-query.gen'
import { Dialog } from '../ui/Dialog'
import { announce } from '../ui/toast'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import type { Words } from '../words'
import css from './events.module.css'

type Props = { destination: Destination; onSecret: (secret: string) => void; open: boolean; onOpen: (open: boolean) => void }

export function DestinationActions({ destination: d, onSecret, open, onOpen }: Props) {
  const { words } = useSpeech()
  const client = useQueryClient()
  const [asking, ask] = useState<'' | 'rotate' | 'remove'>('')
  const [tested, setTested] = useState<DestinationAttempt>()
  const again = () => void client.invalidateQueries()
  const path = { destinationId: d.destinationId ?? '' }
  const test = useMutation({ ...testDestinationMutation(), onSuccess: setTested, onSettled: again })
  const update = useMutation({ ...updateDestinationMutation(), onSuccess: () => announce(words.destinations.changed), onSettled: again })
  const rotate = useMutation({
    ...rotateDestinationSecretMutation(),
    onSuccess: ({ secret }) => {
      ask('')
      onSecret(secret ?? '')
    },
  })
  const remove = useMutation({
    ...deleteDestinationMutation(),
    onSuccess: () => {
      announce(words.destinations.removed)
      onOpen(false) // its deliveries can not be asked for any more
      void client.invalidateQueries({ queryKey: ['destinations'] })
    },
  })
  const error = test.error ?? update.error
  const off = d.state !== 'ACTIVE'
  return (
    <>
      <div className={css.buttons}>
        <Button variant={off ? 'filled' : 'default'} loading={update.isPending} onClick={() => update.mutate({ path, body: { enabled: off } })}>
          {off ? words.destinations.enable : words.destinations.disable}
        </Button>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate({ path, body: {} })}>
          {words.destinations.test}
        </Button>
        <Button variant="default" aria-expanded={open} onClick={() => onOpen(!open)}>
          {words.destinations.attempts}
        </Button>
        <Button variant="subtle" color="gray" onClick={() => ask('rotate')}>
          {words.destinations.rotate}
        </Button>
        <Button variant="subtle" color="red" onClick={() => ask('remove')}>
          {words.destinations.remove}
        </Button>
      </div>
      <p role="status" className={css.tested}>
        {tested && testWords(tested, words)}
      </p>
      {error && <Trouble error={error} />}
      {asking && (
        <Dialog onClose={() => ask('')} title={asking === 'rotate' ? words.destinations.rotateTitle : words.destinations.removeTitle}>
          <div className={css.form}>
            <p>
              <code>{d.url}</code>
            </p>
            <p>{asking === 'rotate' ? words.destinations.rotateLead : words.destinations.removeLead}</p>
            {(rotate.error ?? remove.error) && <Trouble error={rotate.error ?? remove.error} />}
            <div className={css.actions}>
              <Button variant="default" onClick={() => ask('')}>
                {words.common.cancel}
              </Button>
              {asking === 'rotate' ? (
                <Button loading={rotate.isPending} onClick={() => rotate.mutate({ path, body: {} })}>
                  {words.destinations.rotate}
                </Button>
              ) : (
                <Button color="red" loading={remove.isPending} onClick={() => remove.mutate({ path })}>
                  {words.destinations.remove}
                </Button>
              )}
            </div>
          </div>
        </Dialog>
      )}
    </>
  )
}

function testWords(attempt: DestinationAttempt, words: Words): string {
  const status = attempt.httpStatus ?? 0
  if (status >= 200 && status < 300) return words.destinations.tested(`HTTP ${status}`)
  return words.destinations.testFailed(words.destinations.failure(attempt.error ?? '') || (status ? `HTTP ${status}` : words.destinations.noAnswer))
}
