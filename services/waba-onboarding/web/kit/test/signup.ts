// A signup in a fake window, and what its tests do with it.
import assert from 'node:assert/strict'
import { beforeEach, mock } from 'node:test'
import { createSignup } from '../src/index'
import type { Signup } from '../src/signup'
import type { Options, State } from '../src/types'
import { code, settle, World } from './world'

/** The world of the test that runs. */
export let world: World
export const give = { authResponse: { code } }
export const closed = { authResponse: null }

beforeEach(() => {
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.parse('2026-11-24T12:00:00Z') })
  newWorld()
})

export function newWorld(userAgent?: string): void {
  world = new World(userAgent)
}

export async function ready(options: Partial<Options> = {}): Promise<Signup> {
  const signup = createSignup(world.options(options))
  await settle()
  assert.equal(signup.getState().status, 'ready')
  return signup
}

export async function opened(options: Partial<Options> = {}): Promise<Signup> {
  const signup = await ready(options)
  signup.open()
  assert.equal(signup.getState().status, 'open')
  return signup
}

export async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms)
  await settle()
}

export function as<S extends State['status']>(signup: Signup, status: S): State & { status: S } {
  const state = signup.getState()
  assert.equal(state.status, status)
  return state as State & { status: S }
}
