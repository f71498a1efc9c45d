import { Checkbox, Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useSpeech } from '../words'
import css from './shell.module.css'

const KEPT = 'whatrack.keys'
const GO = { '1': '/', '2': '/connections', '3': '/attempts', '4': '/events' } as const

// Keys are the shortcuts of one key, their list, and the switch that turns them off (WCAG 2.1.4).
export default function Keys() {
  const { words } = useSpeech()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const [on, setOn] = useState(() => localStorageSays() !== 'off')
  useEffect(() => {
    const show = () => setOpen(true)
    document.addEventListener('whatrack:keys', show)
    return () => document.removeEventListener('whatrack:keys', show)
  }, [])
  useEffect(() => {
    if (!on) return
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector('[role="dialog"]')) return
      const search = document.querySelector<HTMLInputElement>('input[type="search"]')
      if (event.key === '/' && search) {
        event.preventDefault()
        search.focus()
        search.select()
      } else if (event.key === '?') {
        setOpen(true)
      } else if (event.key in GO) {
        void navigate({ to: GO[event.key as keyof typeof GO] })
      }
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [on, navigate])
  const toggle = (next: boolean) => {
    setOn(next)
    try {
      localStorage.setItem(KEPT, next ? 'on' : 'off')
    } catch {
      // The choice then lasts as long as the page.
    }
  }
  const list: [string, string][] = [
    ['/', words.keys.search],
    ['?', words.keys.list],
    ['1', `${words.keys.go} ${words.nav.overview}`],
    ['2', `${words.keys.go} ${words.nav.connections}`],
    ['3', `${words.keys.go} ${words.nav.attempts}`],
    ['4', `${words.keys.go} ${words.nav.events}`],
    ['Esc', words.keys.close],
  ]
  return (
    <Modal opened={open} onClose={() => setOpen(false)} title={words.keys.title} closeButtonProps={{ 'aria-label': words.common.close }}>
      <dl className={css.keys}>
        {list.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <Checkbox mt="lg" label={words.keys.enabled} description={words.keys.enabledHelp} checked={on} onChange={(e) => toggle(e.currentTarget.checked)} />
    </Modal>
  )
}

const typing = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

function localStorageSays(): string | null {
  try {
    return localStorage.getItem(KEPT)
  } catch {
    return null
  }
}
