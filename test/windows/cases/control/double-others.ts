/** Without the double: no accounts, no wall, and open processes. What holds elsewhere holds by the double. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { attempt, confine, outcomes, selftest, sids, tiers } from '../../support/confined.ts'

test('an account that was made does not exist', () => {
  const said = execFileSync(selftest('accounts'), ['user-add|dbl-agent|secret', 'run|dbl-agent|secret|cmd.exe /c exit 0'], {
    encoding: 'utf8',
  })
  assert.notEqual(outcomes(said).get('run|dbl-agent|secret|cmd.exe /c exit 0'), 'ok')
})

test('a restricted token is not restricted', () => {
  const said = confine([...tiers.blind, '--show'])
  assert.match(said, /^integrity S-1-16-12288 /m)
  assert.match(said, /^restricted 0/m)
  assert.doesNotMatch(said, /^restricting/m)
})

test('a restricted token opens processes', () => {
  const lines = ['0x0010', '0x0020', '0x0001', '0x0040', '0x40000'].map((access) => `open-process|${process.pid}|${access}`)
  const token = ['--restrict', sids.workspace, '--integrity', '4096']
  assert.deepEqual(
    [...attempt(token, lines).values()],
    lines.map(() => 'ok'),
  )
})

test('a pipe is open to a restricted token', async () => {
  const path = `\\\\.\\pipe\\double-${process.pid}`
  const server = createServer((socket) => socket.destroy()).listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  const answers = attempt(tiers.blind, [`open|${path}|0xC0000000`])
  server.close()
  assert.deepEqual([...answers.values()], ['ok'])
})

test('there is no wall to build', () => {
  const built = spawnSync(selftest('wall'), [`D:(A;;CC;;;${sids.user})`, '1', '--no-command'], { encoding: 'utf8' })
  assert.notEqual(built.status, 0)
})
