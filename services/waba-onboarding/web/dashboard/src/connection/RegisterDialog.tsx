import { Button, Checkbox, PasswordInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { Connection } from '../api/generated'
import { Choice } from '../ui/Choice'
import { Dialog } from '../ui/Dialog'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './connection.module.css'
import { useRegister } from './mutations'

// RegisterDialog registers a number for the Cloud API, with the PIN that it has or with ours.
export function RegisterDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { words } = useSpeech()
  const numbers = (connection.phoneNumbers ?? []).filter((n) => !n.coexistence)
  const troubled = numbers.find((n) => n.registration === 'PIN_REQUIRED' || n.registration === 'FAILED')
  const [phoneNumberId, choose] = useState((troubled ?? numbers[0])?.phoneNumberId ?? '')
  const [havePin, setHavePin] = useState(troubled?.registration === 'PIN_REQUIRED')
  const [pin, setPin] = useState('')
  const [wrong, setWrong] = useState(false)
  const id = connection.connectionId ?? ''
  const register = useRegister(id)
  const number = numbers.find((n) => n.phoneNumberId === phoneNumberId)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (havePin && !/^\d{6}$/.test(pin)) return setWrong(true)
    register.mutate({ path: { connectionId: id }, body: { phoneNumberId, pin: havePin ? pin : undefined } }, { onSuccess: onClose })
  }
  return (
    <Dialog onClose={onClose} title={words.connection.pinTitle(number?.displayPhoneNumber ?? '')}>
      <form onSubmit={submit} className={css.form}>
        <p className="muted">{words.connection.pinLead}</p>
        {numbers.length > 1 && (
          <Choice
            label={words.connection.which}
            value={phoneNumberId}
            onChange={choose}
            options={numbers.map((n) => ({ value: n.phoneNumberId ?? '', label: n.displayPhoneNumber ?? '' }))}
          />
        )}
        <Checkbox label={words.connection.pinHave} checked={havePin} onChange={(e) => setHavePin(e.currentTarget.checked)} />
        {havePin && (
          <PasswordInput
            label={words.connection.pinLabel}
            error={wrong && words.connection.pinShape}
            value={pin}
            onChange={(e) => {
              setPin(e.currentTarget.value.replace(/\D/g, ''))
              setWrong(false)
            }}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            data-autofocus
          />
        )}
        {register.error && <Trouble error={register.error} />}
        <div className={css.formActions}>
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={register.isPending} disabled={!phoneNumberId}>
            {words.connection.register}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
