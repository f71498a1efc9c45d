import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Connection } from '../api/generated'
import { Icon } from '../ui/Icon'
import { Foreign } from '../ui/parts'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import css from './connect.module.css'

type Props = { connection: Pick<Connection, 'connectionId' | 'name' | 'phoneNumbers'> | undefined; again: () => void; onClose: () => void }

export function Connected({ connection, again, onClose }: Props) {
  const { words } = useSpeech()
  return (
    <div className={`${css.dialog} ${css.connected} ${ui.ok}`}>
      <span className={css.sign}>
        <Icon name="check" size={26} />
      </span>
      <h2>{words.connect.done}</h2>
      {connection && (
        <p>
          <Foreign short>{connection.name}</Foreign>
          {connection.phoneNumbers?.map((n) => (
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
          <Button onClick={onClose} renderRoot={(props) => <Link to="/connections/$connectionId" params={{ connectionId: connection.connectionId ?? '' }} {...props} />}>
            {words.connect.see}
          </Button>
        )}
      </div>
    </div>
  )
}
