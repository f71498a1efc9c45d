// Takes the pictures of the READMEs anew: `npm run pictures`, after `make web`.
import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'

const taken = '.build/pictures'
const env = { ...process.env, SCREENSHOTS: taken }
const { status } = spawnSync('node', ['--test', '--test-name-pattern', 'every screen is accessible', '.build/tests/dashboard.test.js'], { env, stdio: 'inherit' })
if (status !== 0) process.exit(1)
for (const scheme of ['light', 'dark']) {
  copyFileSync(`${taken}/_connections_one-${scheme}-1280.png`, `../../../../docs/images/connection-${scheme}.png`)
}
