import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { browserTest, shareStack } from '../harness'
import { claim, says, signIn } from '../harness/operator'

shareStack()

const formulas = ['=HYPERLINK("https://evil.example","Padaria")', '+1+cmd|\' /C calc\'!A0', '-2+3', '@SUM(1)', '\t=1']

/** Rows of RFC 4180. */
function parse(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

browserTest('CSV: what is on the screen, with links, and nothing that a spreadsheet runs', async (stage) => {
  const { page, devstack, organization } = stage
  const bakery = await claim(stage, { wabas: [{ name: 'Padaria "do João", matriz' }] })
  for (const name of formulas) await claim(stage, { wabas: [{ name }] })
  await signIn(stage, '/connections')
  await says(page.getByRole('status'), `${formulas.length + 1} conexões`)
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Baixar CSV' }).click()])
  assert.equal(download.suggestedFilename(), 'conexoes.csv')
  const text = readFileSync(await download.path(), 'utf8')
  assert.equal(text[0], '\ufeff')
  const [head, ...rows] = parse(text.slice(1))
  assert.deepEqual(head, ['Cliente', 'Organização', 'Situação', 'Motivo', 'Números', 'Último evento', 'Acesso até', 'Conta do WhatsApp (WABA)', 'URL'])
  assert.equal(rows.length, formulas.length + 1)
  for (const row of rows) {
    assert.equal(row.length, head!.length)
    for (const cell of row) assert.doesNotMatch(cell, /^[=@\t\r]|^[+-](?![\d ]+[\d -]*$)/, cell)
  }
  for (const name of formulas) assert.ok(rows.some(([cell]) => cell === `'${name}` || cell === `'${name.trim()}`), name)
  const row = rows.find(([name]) => name === 'Padaria "do João", matriz')!
  assert.equal(row[1], organization)
  assert.equal(row[2], 'Conectado')
  assert.match(row[4]!, /^\+55 11 /)
  assert.equal(row.at(-1), `${devstack.url}/connections/${bakery.connectionId}`)

  await page.getByRole('searchbox').fill('matriz')
  await says(page.getByRole('status'), '1 conexão')
  const [narrow] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Baixar CSV' }).click()])
  assert.equal(parse(readFileSync(await narrow.path(), 'utf8').slice(1)).length, 2)
})
