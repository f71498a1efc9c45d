import { language, text } from './messages.js'
import { postForSession } from './session.js'
import { Signup } from './signup.js'
import type { Flow, Options } from './types.js'

// Where this script came from is where the API is.
const script = document.currentScript as HTMLScriptElement | null
const origin = script?.src ? new URL(script.src).origin : undefined

function createSignup(options: Options): Signup {
  const signup = new Signup(options, origin)
  signup.start()
  return signup
}

/**
 * <whatrack-connect session-url="/api/whatsapp/session" lang="pt-BR" flow="auto" api-url="…" coexistence>Label</…>
 *
 * A button, the message beside it, and the accounts to choose from. Fires connected, exit and signup, with what the
 * callbacks of createSignup get in `detail`. For CSS: ::part(button), ::part(message), ::part(choice).
 */
class WhatrackConnect extends HTMLElement {
  #signup: Signup | undefined
  #unmount: (() => void) | undefined
  readonly #button = element('button')
  readonly #message = element('p', 'message')
  readonly #choices = element('div')

  connectedCallback(): void {
    this.#signup ??= this.#create()
    this.#unmount = this.#signup.mount()
  }

  /** A tag that is only moved is connected again at once, and goes on. */
  disconnectedCallback(): void {
    this.#unmount?.()
  }

  #create(): Signup {
    const lang = language(this.getAttribute('lang') ?? undefined)
    const attribute = (name: string) => this.getAttribute(name)
    const signup = new Signup(
      {
        session: () => postForSession(attribute('session-url') ?? '')(),
        lang,
        flow: (attribute('flow') as Flow | null) ?? 'auto',
        coexistence: () => this.hasAttribute('coexistence'),
        ...(attribute('api-url') && { apiUrl: attribute('api-url') ?? '' }),
        onConnected: (connection, onboardingId) => this.#fire('connected', { connection, onboardingId }),
        onExit: (error, about) => this.#fire('exit', { error, ...about }),
        onEvent: (event) => this.#fire('signup', event),
      },
      origin,
    )
    const label = document.createElement('slot')
    label.textContent = text(lang, 'connect')
    this.#button.append(label)
    this.#button.onclick = signup.open
    this.#message.setAttribute('role', 'status')
    this.attachShadow({ mode: 'open' }).append(this.#button, this.#message, this.#choices)
    signup.subscribe(() => this.#show(signup))
    this.#show(signup)
    return signup
  }

  #show(signup: Signup): void {
    const state = signup.getState()
    this.#button.disabled = !state.ready
    this.#button.hidden = state.status === 'choose' || state.status === 'connected'
    this.#message.textContent = state.message
    this.#choices.replaceChildren(
      ...(state.status === 'choose' ? state.choices : []).map((choice) => {
        const button = element('button', 'choice')
        button.textContent = [choice.name, ...choice.displayPhoneNumbers].join(' · ')
        button.onclick = () => signup.choose(choice.wabaId)
        return button
      }),
    )
  }

  #fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }))
  }
}

function element<Name extends 'button' | 'p' | 'div'>(name: Name, part: string = name): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  made.setAttribute('part', part)
  if (made instanceof HTMLButtonElement) made.type = 'button'
  return made
}

if (!customElements.get('whatrack-connect')) customElements.define('whatrack-connect', WhatrackConnect)

declare global {
  interface Window {
    WhatrackConnect: { createSignup: typeof createSignup }
  }
}
window.WhatrackConnect = { createSignup }
