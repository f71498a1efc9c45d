import { Signup } from './signup.js'
import type { Options } from './types.js'

export type * from './types.js'
export type { Signup }

/** Begins a signup on this page: loads what it needs, and is `ready` for open(). */
export function createSignup(options: Options): Signup {
  const signup = new Signup(options)
  signup.start()
  return signup
}
