import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Manifest } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

// The page is built once more, with a manifest, which says what each page loads.
let folder = ''
let manifest: Manifest = {}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dashboard-'))
  const root = new URL('..', import.meta.url).pathname
  const vite = new URL('../../../../../node_modules/vite/bin/vite.js', import.meta.url).pathname
  // In a process of its own: this one says that it tests, and React would be built for development.
  const arguments_ = ['build', '--mode', 'size', '--logLevel', 'error', '--outDir', folder, '--manifest', 'manifest.json']
  execFileSync(process.execPath, [vite, ...arguments_], { cwd: root, env: { ...process.env, NODE_ENV: 'production' } })
  manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

// loaded are the files that some entries load, with what they import, and their styles.
function loaded(...entries: string[]): Set<string> {
  const files = new Set<string>()
  const visit = (key: string) => {
    const chunk = manifest[key]
    if (!chunk) throw new Error(`the build has no ${key}`)
    if (files.has(chunk.file)) return
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
    chunk.imports?.forEach(visit)
  }
  entries.forEach(visit)
  return files
}

const firstScreen = ['index.html', 'src/App.tsx']
const zipped = (...files: string[]) => files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0)
const firstPaint = () => /assets\/firstpaint-[\w-]+\.js/.exec(readFileSync(join(folder, 'index.html'), 'utf8'))![0]

test('the dashboard’s first screen loads at most 250 KB', () => {
  const size = zipped('index.html', firstPaint(), ...loaded(...firstScreen))
  console.info(`dashboard: ${(size / 1024).toFixed(1)} KB`)
  expect(size).toBeLessThanOrEqual(250 * 1024)
})

test('the customer’s page loads at most 80 KB, and none of the dashboard', () => {
  const size = zipped('connect.html', ...loaded('connect.html'))
  console.info(`customer's page: ${(size / 1024).toFixed(1)} KB`)
  expect(size).toBeLessThanOrEqual(80 * 1024)
})

test('the dashboard’s document names all that its first screen loads', () => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  for (const file of loaded(...firstScreen)) expect(html).toContain(`/${file}`)
  expect(readFileSync(join(folder, 'connect.html'), 'utf8')).not.toContain('Overview')
})

test.each(['index.html', 'connect.html'])('%s holds no inline script and no inline handler', (page) => {
  const html = readFileSync(join(folder, page), 'utf8')
  for (const [, attributes, text] of html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
    expect(attributes).toMatch(/ src="\/assets\//)
    expect(text).toBe('')
  }
  expect(html).not.toMatch(/ on\w+=|javascript:/i)
})

test('scripts use no eval', () => {
  for (const { file } of Object.values(manifest)) {
    if (file.endsWith('.js')) expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/\beval\(|new Function\(/)
  }
})
