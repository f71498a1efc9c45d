import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { replayChange, type Change } from '../api/generated'
import { Dialog } from '../ui/Dialog'
import { announce } from '../ui/toast'
import { useSpeech } from '../words'
import css from './events.module.css'

type Progress = { done: number; failed: number; running: boolean }

// ReplayAll replays what a filter found, as far as it is on display: the count is said first, and it can be stopped.
export function ReplayAll({ changes }: { changes: Change[] }) {
  const { words } = useSpeech()
  const client = useQueryClient()
  const [chosen, choose] = useState<Change[]>()
  const [progress, setProgress] = useState<Progress>({ done: 0, failed: 0, running: false })
  const stopped = useRef(false)
  const close = () => {
    stopped.current = true
    choose(undefined)
    void client.invalidateQueries()
  }
  const run = async (list: Change[]) => {
    stopped.current = false
    let failed = 0
    // Oldest first, one by one: as they came.
    for (const [i, change] of [...list].reverse().entries()) {
      if (stopped.current) return
      setProgress({ done: i, failed, running: true })
      const { error } = await replayChange({ path: { changeId: change.changeId ?? '' }, body: {} })
      if (error) failed++
    }
    setProgress({ done: list.length, failed, running: false })
    if (failed > 0) return
    announce(words.events.replayed(list.length))
    close()
  }
  return (
    <>
      <Button
        variant="default"
        onClick={() => {
          setProgress({ done: 0, failed: 0, running: false })
          choose(changes)
        }}
      >
        {words.events.replayAll(changes.length)}…
      </Button>
      {chosen && (
        <Dialog onClose={close} title={words.events.replayAllTitle(chosen.length)}>
          <div className={css.form}>
            <p>{words.events.replayAllLead}</p>
            <p role="status">
              {progress.running && words.events.replaying(progress.done, chosen.length)}
              {!progress.running && progress.failed > 0 && words.events.replayFailed(progress.failed)}
            </p>
            <div className={css.actions}>
              <Button variant="default" onClick={close}>
                {words.common.cancel}
              </Button>
              <Button loading={progress.running} onClick={() => void run(chosen)}>
                {words.events.replay}
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  )
}
