import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const most = 8 * 1024

test('everything fits into 8 KB: the core, the hook and the texts, or connect.js', async () => {
  const contents = "export * from './src/index'; export * from './src/react'"
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.', loader: 'ts' },
    bundle: true,
    minify: true,
    charset: 'utf8',
    format: 'esm',
    target: 'es2022',
    external: ['react'],
    write: false,
  })
  for (const [name, bytes] of [['modules', outputFiles[0]?.contents], ['connect.js', readFileSync('dist/connect.js')]] as const) {
    const size = gzipSync(bytes ?? '', { level: 9 }).length
    console.log(`${name}: ${size} bytes gzipped`)
    assert.ok(size > 1000 && size <= most, `${name} has ${size} bytes gzipped; at most ${most}`)
  }
})
