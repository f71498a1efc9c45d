import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Change } from '../api/generated'
import { getChangeOptions, replayChangeMutation } from '../api/generated/@tanstack/react-query.gen'
import { SideSheet } from '../ui/Dialog'
import { Copy, Foreign, Id, Row, Rows, visible } from '../ui/parts'
import { ChangeBadge } from '../ui/StateBadge'
import { announce } from '../ui/toast'
import { Ago } from '../ui/Time'
import { Answered, Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import ui from '../ui/ui.module.css'
import { delay } from './Changes'
import css from './events.module.css'

export function ChangeDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { words } = useSpeech()
  const query = useQuery(getChangeOptions({ path: { changeId: id } }))
  return (
    <SideSheet onClose={onClose} title={words.events.title}>
      <Answered query={query}>{(change) => <OneChange change={change} />}</Answered>
    </SideSheet>
  )
}

function OneChange({ change: c }: { change: Change }) {
  const { words, format } = useSpeech()
  const client = useQueryClient()
  const replay = useMutation({
    ...replayChangeMutation(),
    onSuccess: () => {
      announce(words.events.replayed(1))
      void client.invalidateQueries()
    },
  })
  return (
    <div className={css.change}>
      <div className={css.changeHead}>
        <code>
          <Foreign>{c.field}</Foreign>
        </code>
        <ChangeBadge state={c.state} />
        <Button variant="default" loading={replay.isPending} onClick={() => replay.mutate({ path: { changeId: c.changeId ?? '' }, body: {} })} ml="auto">
          {words.events.replay}
        </Button>
      </div>
      {replay.error && <Trouble error={replay.error} />}
      <Rows>
        <Row label={words.events.received}>
          <Ago time={c.receiveTime} /> <span className="muted">({format.exact(c.receiveTime ?? 0)})</span>
        </Row>
        <Row label={words.events.delay}>{c.entryTime && delay(c, format.duration)}</Row>
        <Row label={words.events.event}>{c.event && <Foreign short>{c.event}</Foreign>}</Row>
        <Row label={words.connection.organization}>{c.organizationId}</Row>
        <Row label={words.events.connection}>
          {c.connectionId && (
            <Link to="/connections/$connectionId" params={{ connectionId: c.connectionId }}>
              {words.attempts.toConnection}
            </Link>
          )}
        </Row>
        <Row label={words.connection.wabaId}>{c.wabaId && <Id value={c.wabaId} />}</Row>
        <Row label={words.connection.phoneNumberId}>{c.phoneNumberId && <Id value={c.phoneNumberId} />}</Row>
        <Row label={words.events.changeId}>{c.changeId && <Id value={c.changeId} />}</Row>
        <Row label={words.events.deliveryId}>{c.deliveryId && <Id value={c.deliveryId} />}</Row>
      </Rows>
      {c.valueJson && (
        <section>
          <div className={css.rawHead}>
            <h2>{words.events.raw}</h2>
            <Copy text={c.valueJson} label={`${words.common.copy} JSON`} />
          </div>
          <pre className={ui.pre} tabIndex={0} dir="ltr">
            {visible(pretty(c.valueJson))}
          </pre>
        </section>
      )}
    </div>
  )
}

// pretty indents JSON for reading. What is none stays as it came; the button copies the very text.
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
