import { Drawer, Modal, type DrawerProps, type ModalProps } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useSpeech } from '../words'

// Where the focus goes once the dialog that opened last is closed. The next one may open as that one closes.
let last: HTMLElement | undefined

// useFocusReturn gives the focus back to where it was when a dialog, which is there only while it is open, goes away (2.4.3).
function useFocusReturn() {
  const [opener] = useState(openerNow)
  useEffect(() => {
    const back = opener?.isConnected ? opener : last
    last = back
    return () => void setTimeout(() => giveBack(back))
  }, [opener])
}

// An item of a menu goes away with its menu: the menu's button opened the dialog.
function openerNow(): HTMLElement | undefined {
  const focused = document.activeElement
  if (!(focused instanceof HTMLElement) || focused === document.body) return undefined
  const menu = focused.closest('[role="menu"]')
  return (menu && document.querySelector<HTMLElement>(`[aria-controls="${menu.id}"]`)) ?? focused
}

function giveBack(to: HTMLElement | undefined) {
  const focused = document.activeElement
  if (focused && focused !== document.body) return
  const target = to?.isConnected ? to : document.querySelector('main')
  const above = document.querySelector('[aria-modal="true"]') // another dialog keeps the focus to itself
  if (!above || above.contains(target)) target?.focus({ preventScroll: true })
}

// Dialog is a dialog that is there while it is open.
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const { words } = useSpeech()
  useFocusReturn()
  return <Modal opened closeButtonProps={{ 'aria-label': words.common.close }} {...props} />
}

// SideSheet is one at the side of the page.
export function SideSheet(props: Omit<DrawerProps, 'opened'>) {
  const { words } = useSpeech()
  useFocusReturn()
  return <Drawer opened closeButtonProps={{ 'aria-label': words.common.close }} {...props} />
}
