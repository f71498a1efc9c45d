// Builds what the tests run: the kit, the devstack, the test pages and the tests themselves.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = new URL('../../../..', import.meta.url).pathname
const react = dirname(createRequire(import.meta.url).resolve('react/package.json'))

run('npm', ['run', 'build'], new URL('../kit', import.meta.url).pathname)
// The devstack serves it, compressed where there is such a file: one of yesterday's kit must not stay.
const script = readFileSync('../kit/dist/connect.js')
for (const [form, bytes] of [['', script], ['.gz', gzipSync(script, { level: 9 })], ['.br', brotliCompressSync(script)]]) {
  writeFileSync(`../dist/connect.js${form}`, bytes)
}
run('go', ['build', '-o', '.bin/devstack', './services/devstack'], root)

rmSync('.build', { recursive: true, force: true })
const common = { bundle: true, target: 'es2022', sourcemap: 'inline', logLevel: 'warning' }
await build({
  ...common,
  entryPoints: ['pages/hook.tsx'],
  outdir: '.build/pages',
  format: 'esm',
  jsx: 'automatic',
  alias: { react }, // the kit's own copy would be a second React
  define: { 'process.env.NODE_ENV': '"development"' }, // StrictMode does nothing in production
})
await build({
  ...common,
  entryPoints: readdirSync('tests').map((name) => `tests/${name}`),
  outdir: '.build/tests',
  outbase: 'tests',
  platform: 'node',
  format: 'esm',
  packages: 'external',
})

await build({
  ...common,
  entryPoints: ['slow/main.ts'],
  outdir: '.build/slow',
  platform: 'node',
  format: 'esm',
  packages: 'external',
})

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} failed`)
}
