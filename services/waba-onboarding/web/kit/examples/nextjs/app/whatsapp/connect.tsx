'use client'

import { useEmbeddedSignup } from '@whatrack/connect/react'
import { useRouter } from 'next/navigation'

async function session() {
  const response = await fetch('/api/whatsapp/session', { method: 'POST' })
  if (!response.ok) throw new Error(`the session route answered ${response.status}`)
  return response.json()
}

export function ConnectWhatsApp() {
  const router = useRouter()
  const signup = useEmbeddedSignup({ session, lang: 'pt-BR', onConnected: () => router.refresh() })
  return (
    <>
      <button onClick={signup.open} disabled={!signup.ready}>
        Conectar WhatsApp
      </button>
      <p role="status">{signup.message}</p>
      {signup.choices.map((choice) => (
        <button key={choice.wabaId} onClick={() => signup.choose(choice.wabaId)}>
          {choice.name}
        </button>
      ))}
    </>
  )
}
