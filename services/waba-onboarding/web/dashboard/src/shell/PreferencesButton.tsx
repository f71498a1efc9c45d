import { Button, type ButtonProps } from '@mantine/core'
import type { ComponentPropsWithRef } from 'react'
import { Icon } from '../ui/Icon'
import { useSpeech } from '../words'
import css from './shell.module.css'

// PreferencesButton opens the menu of the preferences, and stands for it until that is loaded.
export function PreferencesButton(props: ButtonProps & ComponentPropsWithRef<'button'>) {
  const { words } = useSpeech()
  return (
    <Button {...props} variant="subtle" color="gray" leftSection={<Icon name="settings" />} className={css.preferences} aria-label={words.shell.menu}>
      <span className={css.menuWord}>{words.shell.menu}</span>
    </Button>
  )
}
