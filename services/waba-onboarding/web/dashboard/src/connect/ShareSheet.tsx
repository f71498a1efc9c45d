import { Button, TextInput } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { Icon } from '../ui/Icon'
import { Bones } from '../ui/parts'
import { announce } from '../ui/toast'
import { visible } from '../ui/visible'
import { useSpeech } from '../words'
import css from './connect.module.css'
import { mailShare, whatsappShare, type ConnectLink } from './link'

const Qr = lazy(() => import('./Qr'))

// ShareSheet is the ways by which a link reaches the customer, and until when it is good.
export function ShareSheet({ link, name, now }: { link: ConnectLink; name?: string; now: number }) {
  const { words, format } = useSpeech()
  const [scan, setScan] = useState(false)
  const until = format.time(link.expires)
  const text = words.connect.shareText(visible(name ?? ''), link.address, until)
  return (
    <>
      <p className="muted">{words.connect.linkLead}</p>
      <TextInput label={words.connect.link} value={link.address} readOnly onFocus={(e) => e.currentTarget.select()} classNames={{ input: css.address }} spellCheck={false} />
      <div className={css.share}>
        <CopyLink address={link.address} />
        <Button variant="default" component="a" href={whatsappShare(text)} target="_blank" rel="noopener noreferrer">
          {words.connect.byWhatsApp}
        </Button>
        <Button variant="default" component="a" href={mailShare(words.connect.shareSubject, text)}>
          {words.connect.byMail}
        </Button>
        <Button variant="default" aria-expanded={scan} onClick={() => setScan(!scan)}>
          {words.connect.byQr}
        </Button>
      </div>
      {scan && (
        <Suspense fallback={<Bones lines={3} />}>
          <Qr text={link.address} label={words.connect.qrLabel} />
        </Suspense>
      )}
      <p className={css.until}>{words.connect.goodUntil(until, format.ago(link.expires, now))}</p>
    </>
  )
}

// CopyLink says when the clipboard is closed to the page: then the field above is there to copy from.
function CopyLink({ address }: { address: string }) {
  const { words } = useSpeech()
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address)
      setCopied(true)
      announce(words.connect.linkCopied)
    } catch {
      announce(words.connect.linkNotCopied)
    }
  }
  return (
    <Button leftSection={<Icon name={copied ? 'check' : 'copy'} size={17} />} onClick={() => void copy()}>
      {words.connect.copyLink}
    </Button>
  )
}
