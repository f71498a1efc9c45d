import { useEffect, useState, type ReactNode } from 'react'
import { useSpeech } from '../words'
import { Icon, type IconName } from './Icon'
import { announce } from './toast'
import css from './ui.module.css'
import { cut, visible } from './visible'

export { visible }

export function PageHead({ title, lead, children }: { title: ReactNode; lead?: ReactNode; children?: ReactNode }) {
  return (
    <header className={css.pageHead}>
      <div>
        <h1>{title}</h1>
        {lead && <p>{lead}</p>}
      </div>
      {children && <div className={css.pageActions}>{children}</div>}
    </header>
  )
}

type PanelProps = { title?: string; side?: ReactNode; flush?: boolean; className?: string; children: ReactNode }

// Panel is one region of a page. flush: what it holds brings its own margins.
export function Panel({ title, side, flush, className, children }: PanelProps) {
  return (
    <section className={`${css.panel} ${className ?? ''}`} aria-label={title}>
      {title && (
        <div className={css.panelHead}>
          <h2>{title}</h2>
          {side}
        </div>
      )}
      <div className={flush ? css.flush : css.panelBody}>{children}</div>
    </section>
  )
}

export function Empty({ icon, title, lead, children }: { icon: IconName; title: string; lead?: string; children?: ReactNode }) {
  return (
    <div className={css.empty}>
      <Icon name={icon} size={30} />
      <h2>{title}</h2>
      {lead && <p>{lead}</p>}
      {children && <div className={css.emptyActions}>{children}</div>}
    </div>
  )
}

// Bones stand where something is still being read.
export function Bones({ lines = 4 }: { lines?: number }) {
  const { words } = useSpeech()
  return (
    <div className={css.bones} role="status">
      <span className="visually-hidden">{words.common.loading}</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} className={css.bone} style={{ height: 17, width: `${92 - ((i * 23) % 45)}%` }} />
      ))}
    </div>
  )
}

export function Copy({ text, label }: { text: string; label?: string }) {
  const { words } = useSpeech()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    announce(words.common.copied)
  }
  return (
    <button type="button" className={css.copy} onClick={copy} aria-label={label ?? `${words.common.copy} ${text}`}>
      <Icon name={copied ? 'check' : 'copy'} size={16} />
    </button>
  )
}

// Rows are facts with their names. stacked: each name above its fact, where long ones need the room.
export function Rows({ stacked, children }: { stacked?: boolean; children: ReactNode }) {
  return <dl className={`${css.rows} ${stacked ? css.stacked : ''}`}>{children}</dl>
}

// Row is one fact; an empty one is left out.
export function Row({ label, children }: { label: string; children?: ReactNode }) {
  if (children === undefined || children === null || children === '' || children === false) return null
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  )
}

export function Id({ value }: { value: string | undefined }) {
  if (!value) return null
  return (
    <span className={css.id}>
      <code>{value}</code> <Copy text={value} />
    </span>
  )
}

// Foreign is a text that somebody outside wrote: never markup, and never able to turn the direction of what is around it.
// short: it is the name of something, which pushes nothing off the screen, however long.
export function Foreign({ short, children }: { short?: boolean; children: string | undefined }) {
  const text = visible(children ?? '')
  const shown = short ? cut(text) : text
  return (
    <bdi dir="auto" title={shown === text ? undefined : text}>
      {shown}
    </bdi>
  )
}
