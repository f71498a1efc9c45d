import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

const consumer = `
import { createSignup, type Session, type State } from '@whatrack/connect'
import { useEmbeddedSignup } from '@whatrack/connect/react'
declare const session: Session
export const status: State['status'] = createSignup({ session: async () => session, onConnected: (c) => c?.wabaId }).getState().status
export const open = (): void => useEmbeddedSignup({ session: async () => session }).open()
// @ts-expect-error: the types are there, and not any
createSignup({ session: 1 })
`

test('the packed package has types for a consumer whose modules are Node’s, as for bundlers', () => {
  const folder = mkdtempSync('.tests/consumer-') // below the types of React
  try {
    const packed = join(folder, 'node_modules/@whatrack/connect')
    mkdirSync(packed, { recursive: true })
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { encoding: 'utf8' }))
    execFileSync('tar', ['-xzf', join(folder, filename), '-C', packed, '--strip-components=1'])
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
    writeFileSync(join(folder, 'consumer.ts'), consumer)
    const args = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom', '--types', 'react', '--module', 'nodenext', 'consumer.ts']
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...args], { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
