// Two components as an integrator writes them: on the hook, and on the adapter to Whatrack's own.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { useEmbeddedSignup, useWhatsAppOnboarding } from '../../kit/dist/react'

const session = () => fetch('/session', { method: 'POST' }).then((response) => response.json())

function Hook() {
  const signup = useEmbeddedSignup({ session, lang: 'pt-BR' })
  return (
    <>
      <button onClick={signup.open} disabled={!signup.ready}>
        Conectar WhatsApp
      </button>
      <p role="status">{signup.message}</p>
      {signup.choices.map((choice) => (
        <button key={choice.wabaId} onClick={() => signup.choose(choice.wabaId)} className="choice">
          {choice.name}
        </button>
      ))}
      {signup.connection && <p id="connected">{signup.connection.wabaId}</p>}
    </>
  )
}

function Adapter() {
  const { status, error, sdkReady, startOnboarding } = useWhatsAppOnboarding(
    (connection) => document.body.setAttribute('data-waba', connection?.wabaId ?? ''),
    { session },
  )
  return (
    <>
      <button onClick={startOnboarding} disabled={!sdkReady || status !== 'idle'}>
        Conectar WhatsApp
      </button>
      <p role="status">{error ?? status}</p>
    </>
  )
}

const root = document.getElementById('root')
if (root) createRoot(root).render(<StrictMode>{location.pathname === '/hook' ? <Hook /> : <Adapter />}</StrictMode>)
