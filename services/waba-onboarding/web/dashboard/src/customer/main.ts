import './customer.css'
import { createSignup, type Return, type Session, type Signup, type State } from '@whatrack/connect'
import { preferredLanguage, type Language } from '../language'
import { el } from './dom'
import { inAppBrowser, takeLink } from './link'
import { visible } from '../ui/visible'
import { saidIn } from './said'
import { customerWords } from './words'

// The page that a customer opens by a link: `/connect#<token>`. The token is good for one signup and nothing else. It
// leaves the address at once and stays in memory.
const link = takeLink(location, history)
const page = document.getElementById('page')!

let language: Language = preferredLanguage(null, navigator.languages)
let coexistence = true
// In which language the signup spoke last: of a failure it does so once.
let spokenIn = language
let failed: object | undefined
// The server does not take the link (any more).
let refused = false
let signup: Signup | undefined

async function session(): Promise<Session> {
  const answer = await fetch('/api/v1/whatsapp/onboardings', {
    method: 'POST',
    headers: { Authorization: `Bearer ${link.token}`, 'Content-Type': 'application/json', 'Accept-Language': language },
    body: '{}',
    credentials: 'omit',
    cache: 'no-store',
    signal: AbortSignal.timeout(35_000),
  })
  if (answer.ok) return (await answer.json()) as Session
  const why = refusal(await answer.json().catch(() => undefined))
  const used = why?.reason === 'STATE_MISMATCH' && why.metadata?.onboardingId
  if (used) follow(used)
  else if (answer.status < 500 && answer.status !== 429) refuse()
  throw new Error(`StartOnboarding answered ${answer.status}`)
}

interface ErrorInfo {
  '@type'?: string
  reason?: string
  metadata?: { onboardingId?: string }
}

const refusal = (body?: { details?: ErrorInfo[] }) => body?.details?.find((d) => d['@type']?.endsWith('.ErrorInfo'))

function refuse() {
  refused = true
  signup?.destroy()
  show()
}

// The link was used: what came of it is shown.
function follow(onboardingId: string) {
  signup?.destroy()
  start({ onboardingId, clientToken: link.token })
}

function start(resume?: Return) {
  signup = createSignup({
    ...(resume && { resume }),
    session,
    flow: 'auto',
    get lang() {
      return language
    },
    apiUrl: location.origin,
    coexistence: () => coexistence,
  })
  const { subscribe, getState } = signup
  subscribe(() => {
    const state = getState()
    const error = state.status === 'failed' ? state.error : undefined
    if (!error || error !== failed) spokenIn = language
    failed = error
    show()
  })
}

// What a reader is told of: it stays the same element, or nothing would be said.
const progress = el('p', { role: 'status' })

function show() {
  const words = customerWords[language]
  document.documentElement.lang = language
  document.title = words.title
  const state = signup?.getState()
  progress.textContent = spoken(state)
  progress.className = state?.status === 'connected' ? 'unseen' : 'progress' // then the heading says it
  progress.dataset.busy = String(state?.busy ?? false)
  const focused = document.activeElement?.id
  page.replaceChildren(el('div', { class: 'card' }, ...body(state)), footer())
  if (focused) document.getElementById(focused)?.focus()
}

// A failure is an alert of its own.
function spoken(state: State | undefined): string {
  if (!state || state.status === 'failed') return ''
  return state.status === 'connected' ? customerWords[language].done : message(state)
}

const message = (state: State) => (spokenIn === language ? state.message : saidIn(language, state))

function body(state: State | undefined): Node[] {
  const words = customerWords[language]
  if (!state) return link.lost ? trouble(words.reloaded, words.reloadedMore) : trouble(words.noLink, words.noLinkMore)
  if (refused) return trouble(words.expired, words.expiredMore)
  switch (state.status) {
    case 'connected':
      return done(state)
    case 'choose':
      return [el('h1', {}, words.choose), ...state.choices.map(choice), progress]
    case 'exchanging':
    case 'claiming':
      return [el('h1', {}, words.title), progress]
    default:
      return [...invitation(state), progress, openButton(state)]
  }
}

function trouble(title: string, more: string): Node[] {
  return [el('h1', {}, title), el('p', { class: 'muted' }, more)]
}

function done(state: State & { status: 'connected' }): Node[] {
  const words = customerWords[language]
  const numbers = state.connection?.phoneNumbers.map((n) => el('p', { class: 'number' }, el('bdi', {}, n.displayPhoneNumber))) ?? []
  return [el('div', { class: 'sign', 'aria-hidden': 'true' }, '✓'), el('h1', {}, words.done), progress, ...numbers, el('p', { class: 'muted' }, words.close), el('p', { class: 'muted' }, words.another)]
}

function choice(c: { wabaId: string; name: string; displayPhoneNumbers: string[] }): Node {
  const numbers = el('span', { class: 'muted' }, c.displayPhoneNumbers.join(', ') || c.wabaId)
  return el('button', { type: 'button', class: 'choice', click: () => signup?.choose(c.wabaId) }, el('bdi', { dir: 'auto' }, visible(c.name)), numbers)
}

function invitation(state: State): Node[] {
  const words = customerWords[language]
  const failed = state.status === 'failed' && failure(state.error, message(state))
  if (state.status === 'failed' || state.status === 'cancelled') return [el('h1', {}, words.title), ...(failed ? [failed] : []), how()]
  const steps = el('ol', {}, ...words.steps.map((step) => el('li', {}, step)))
  return [el('h1', {}, words.title), el('p', { class: 'muted' }, words.lead), ...browserHint(), steps, el('p', { class: 'have' }, words.have), how()]
}

function failure(error: (State & { status: 'failed' })['error'], said: string): Node {
  const words = customerWords[language]
  const code = [error.reason, error.errorCode, error.sessionId].filter(Boolean).join(' · ')
  return el('div', { class: 'failure', role: 'alert' }, el('p', {}, said), error.metaMessage ? el('q', { class: 'muted' }, el('bdi', { dir: 'auto' }, visible(error.metaMessage))) : '', el('p', { class: 'muted' }, `${words.code}: `, el('code', {}, code)))
}

function how(): Node {
  const words = customerWords[language]
  const option = (id: string, value: boolean, title: string, more: string) =>
    el('label', { class: 'option', for: id }, el('input', { type: 'radio', name: 'how', id, checked: coexistence === value, change: () => (coexistence = value) }), el('span', {}, title, el('small', {}, more)))
  return el('fieldset', {}, el('legend', {}, words.how), option('app', true, words.app, words.appMore), option('fresh', false, words.fresh, words.freshMore))
}

function openButton(state: State): Node {
  const words = customerWords[language]
  const again = state.status === 'failed' || state.status === 'cancelled'
  return el('button', { type: 'button', id: 'open', class: 'primary', disabled: !state.ready, click: () => signup?.open() }, again ? words.again : words.open)
}

function browserHint(): Node[] {
  const words = customerWords[language]
  if (!inAppBrowser(navigator.userAgent) || !link.token) return []
  const copy = el('button', { type: 'button', class: 'plain', click: () => void navigator.clipboard.writeText(`${location.origin}/connect#${link.token}`).then(() => (copy.textContent = words.copied)) }, words.copy)
  return [el('div', { class: 'hint' }, el('p', {}, words.inApp), el('p', {}, words.inAppMore), copy)]
}

function footer(): Node {
  const words = customerWords[language]
  const turn = () => {
    language = language === 'en' ? 'pt-BR' : 'en'
    show()
  }
  return el('footer', {}, el('button', { type: 'button', id: 'language', class: 'plain', lang: language === 'en' ? 'pt-BR' : 'en', click: turn }, words.switchTo))
}

// Another link that is opened here changes the fragment alone.
addEventListener('hashchange', () => location.hash && location.reload())

if (link.token) start(link.onboardingId ? { onboardingId: link.onboardingId, clientToken: link.token } : undefined)
show()
