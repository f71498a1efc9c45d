import { Button, PasswordInput } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { signIn, signOut } from '../api/session'
import { Dialog } from '../ui/Dialog'
import { useSpeech } from '../words'
import { Mark } from './Mark'
import Preferences from './Preferences'
import css from './shell.module.css'

// SignIn asks for a bearer token. again: over the screen that was interrupted.
export default function SignIn({ again, refused }: { again: boolean; refused: boolean }) {
  return again ? <SignInAgain /> : <FirstSignIn refused={refused} />
}

// What stands behind it keeps its place: the address does not change.
function FirstSignIn({ refused }: { refused: boolean }) {
  const { words } = useSpeech()
  return (
    <main className={css.signIn}>
      <TokenForm className={css.signInCard}>
        <Mark size={40} />
        <h1>{words.signIn.title}</h1>
        <p className="muted">{words.signIn.lead}</p>
        {refused && <Refused />}
      </TokenForm>
      <Preferences />
    </main>
  )
}

// The screen that was interrupted keeps what was typed in it.
function SignInAgain() {
  const { words } = useSpeech()
  return (
    <Dialog onClose={signOut} title={words.signIn.again} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false} zIndex={450}>
      <TokenForm className={css.signInAgain}>
        <Refused />
      </TokenForm>
      <Button variant="subtle" color="gray" mt="sm" fullWidth onClick={signOut}>
        {words.shell.signOut}
      </Button>
    </Dialog>
  )
}

function Refused() {
  const { words } = useSpeech()
  return (
    <p role="alert" className={css.refused}>
      {words.signIn.refused}
    </p>
  )
}

function TokenForm({ className, children }: { className?: string; children: ReactNode }) {
  const { words } = useSpeech()
  const [key, setKey] = useState('')
  const [wrong, setWrong] = useState<'' | 'required' | 'shape'>('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const token = key.trim().replace(/^Bearer\s+/i, '')
    if (!token) return setWrong('required')
    if (!/^[!-~]+$/.test(token)) return setWrong('shape')
    signIn(token)
  }
  return (
    <form className={className} onSubmit={submit} noValidate>
      {children}
      <PasswordInput
        label={words.signIn.label}
        description={words.signIn.help}
        error={wrong && words.signIn[wrong]}
        value={key}
        onChange={(e) => setKey(e.currentTarget.value)}
        autoComplete="current-password"
        data-autofocus
        autoFocus
        data-mantine-stop-propagation="true" // Escape here closes no dialog below, where something may have been typed
        name="token"
      />
      <Button type="submit" fullWidth size="md">
        {words.signIn.button}
      </Button>
      <p className={css.small}>{words.signIn.memory}</p>
    </form>
  )
}
