// Who is signed in. The token lives in memory alone: a reload asks for it again, and no script of another page, no
// extension that reads storage and no shared computer finds it afterwards.
type Session = {
  token: string
  // The server refused the token that was used before.
  refused: boolean
  // A token was taken, and nobody signed out since: there are screens to come back to, with what was typed in them.
  open: boolean
}

let session: Session = { token: '', refused: false, open: false }
let organization = ''
const listeners = new Set<(session: Session) => void>()

function set(next: Session) {
  session = next
  for (const tell of listeners) tell(session)
}

export const signIn = (token: string) => set({ ...session, token, refused: false })
export const signOut = () => set({ token: '', refused: false, open: false })

// accept notes that the server took a token. An answer to an older one changes nothing, here and below.
export function accept(token: string) {
  if (token === session.token && !session.open) set({ ...session, open: true })
}

// refuse ends the session of a token that the server does not take.
export function refuse(token: string) {
  if (token === session.token && token !== '') set({ ...session, token: '', refused: true })
}

export function watchSession(tell: (session: Session) => void): () => void {
  listeners.add(tell)
  return () => void listeners.delete(tell)
}

export const currentSession = () => session
export const currentToken = () => session.token

export const ORGANIZATION = /^[A-Za-z0-9._-]{1,64}$/

// The organization that requests name; empty is the caller's own, or all of a platform caller.
export const currentOrganization = () => organization
export const nameOrganization = (id: string) => {
  organization = id
}

// organizationIn reads the one that an address names.
export function organizationIn({ search }: Location): string {
  const named = new URLSearchParams(search).get('org') ?? ''
  return ORGANIZATION.test(named) ? named : ''
}

// takeToken reads `#token=…` and takes it out of the address at once, so that neither history nor a screenshot keeps it.
export function takeToken(location: Location, history: History): string {
  const match = /^#token=([!-~]+)$/.exec(location.hash)
  if (!match?.[1]) return ''
  history.replaceState(null, '', location.pathname + location.search)
  return decodeURIComponent(match[1])
}
