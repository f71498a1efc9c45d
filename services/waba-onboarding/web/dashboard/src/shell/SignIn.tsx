import { Button, PasswordInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { signIn } from '../api/session'
import { useSpeech } from '../words'
import { Mark, Preferences } from './Shell'
import css from './shell.module.css'

// SignIn asks for a bearer token. What stands behind it keeps its place: the address does not change.
export function SignIn({ refused }: { refused: boolean }) {
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
    <main className={css.signIn}>
      <form className={css.signInCard} onSubmit={submit} noValidate>
        <Mark size={40} />
        <h1>{words.signIn.title}</h1>
        <p className="muted">{words.signIn.lead}</p>
        {refused && (
          <p role="alert" className={css.refused}>
            {words.signIn.refused}
          </p>
        )}
        <PasswordInput
          label={words.signIn.label}
          description={words.signIn.help}
          error={wrong && words.signIn[wrong]}
          value={key}
          onChange={(e) => setKey(e.currentTarget.value)}
          autoComplete="current-password"
          autoFocus
          name="token"
        />
        <Button type="submit" fullWidth size="md">
          {words.signIn.button}
        </Button>
        <p className={css.small}>{words.signIn.memory}</p>
      </form>
      <Preferences />
    </main>
  )
}
