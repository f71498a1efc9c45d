import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { startOnboarding } from '../api/generated'
import { Bones } from '../ui/parts'
import { announce } from '../ui/toast'
import { useNow } from '../ui/Time'
import { Trouble } from '../ui/Trouble'
import { useSpeech } from '../words'
import css from './connect.module.css'
import { Connected } from './Connected'
import { Follow, useRun } from './Follow'
import { isOver, linkOf, stageOf, type ConnectLink } from './link'
import { ShareSheet } from './ShareSheet'

type Props = { organization: string; name?: string; onClose: () => void }

// SendLink makes a link for the customer, and shows live how far the customer is with it.
export function SendLink({ organization, name, onClose }: Props) {
  const { link, error, make } = useLink(organization)
  if (error !== undefined) return <Trouble error={error} retry={make} />
  if (!link) return <Bones lines={4} />
  return <Sent key={link.onboardingId} link={link} name={name} another={make} onClose={onClose} />
}

function useLink(organization: string) {
  const [link, keep] = useState<ConnectLink>()
  const [error, fail] = useState<unknown>()
  const asked = useRef(false)
  const make = useCallback(async () => {
    keep(undefined)
    fail(undefined)
    try {
      const { data } = await startOnboarding({ body: {}, headers: { 'X-Organization-Id': organization }, throwOnError: true })
      keep(linkOf(data, location.origin))
    } catch (problem) {
      fail(problem)
    }
  }, [organization])
  useEffect(() => {
    if (!asked.current) void make()
    asked.current = true
  }, [make])
  return { link, error, make: () => void make() }
}

type SentProps = { link: ConnectLink; name?: string; another: () => void; onClose: () => void }

function Sent({ link, name, another, onClose }: SentProps) {
  const { words } = useSpeech()
  const client = useQueryClient()
  const now = useNow(1_000)
  const run = useRun(link)
  const stage = stageOf(run, link.expires, now)
  useEffect(() => {
    if (stage !== 'connected') return
    announce(words.connect.done)
    void client.invalidateQueries()
  }, [stage, client, words])
  if (stage === 'connected') return <Connected connection={run?.connection} again={another} onClose={onClose} />
  return (
    <div className={css.dialog}>
      {!isOver(stage) && <ShareSheet link={link} name={name} now={now} />}
      <Follow run={run} stage={stage} />
      {isOver(stage) && (
        <div className={css.actions}>
          <Button onClick={another}>{words.connect.newLink}</Button>
        </div>
      )}
    </div>
  )
}
