import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

test('docs/integrate.md shows the files of the example as they are', () => {
  const document = readFileSync('../../../../docs/integrate.md', 'utf8')
  for (const name of ['api/whatsapp/session/route.ts', 'whatsapp/connect.tsx']) {
    const file = readFileSync(`examples/nextjs/app/${name}`, 'utf8')
    assert.ok(document.includes('```' + name.split('.')[1] + '\n' + file + '```\n'), name)
  }
})
