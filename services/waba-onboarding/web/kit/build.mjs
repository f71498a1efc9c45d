// Builds dist/: the modules for bundlers, and connect.js for a script tag. With --tests: the tests, into .tests/.
import { readdirSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const common = { bundle: true, target: 'es2022', charset: 'utf8', legalComments: 'none', logLevel: 'warning' }

if (process.argv.includes('--tests')) {
  rmSync('.tests', { recursive: true, force: true })
  const tests = readdirSync('test').filter((name) => name.endsWith('.test.ts'))
  await build({
    ...common,
    entryPoints: tests.map((name) => `test/${name}`),
    outdir: '.tests',
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
  })
} else {
  rmSync('dist', { recursive: true, force: true })
  await build({
    ...common,
    entryPoints: ['src/index.ts', 'src/react.ts'],
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    external: ['react'],
    minify: true,
  })
  await build({ ...common, entryPoints: ['src/connect.ts'], outfile: 'dist/connect.js', format: 'iife', minify: true })
}
