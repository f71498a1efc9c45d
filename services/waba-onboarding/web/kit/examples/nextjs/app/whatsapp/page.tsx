import { ConnectWhatsApp } from './connect'

export default function Page() {
  return (
    <main>
      <h1>WhatsApp</h1>
      <ConnectWhatsApp />
    </main>
  )
}
