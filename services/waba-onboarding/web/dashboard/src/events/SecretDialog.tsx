import { Button } from '@mantine/core'
import { Dialog } from '../ui/Dialog'
import { Copy } from '../ui/parts'
import { useSpeech } from '../words'
import css from './events.module.css'

// SecretDialog shows a secret the one time that it can be seen, and goes away only when it is told that it was kept.
export function SecretDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { words } = useSpeech()
  return (
    <Dialog onClose={onClose} title={words.destinations.secretTitle} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false}>
      <div className={css.form}>
        <p>{words.destinations.secretLead}</p>
        <p className={css.secret}>
          <code>{secret}</code> <Copy text={secret} label={words.destinations.copySecret} />
        </p>
        <div className={css.actions}>
          <Button onClick={onClose}>{words.destinations.secretKept}</Button>
        </div>
      </div>
    </Dialog>
  )
}
