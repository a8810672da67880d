/** Wine has no filtering platform: that must be said, and nothing may crash of it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createHost, createLauncher } from '../../../../native/index.ts'
import { closeNetwork, mayFilter } from '../../../../native/windows/wfp.ts'
import netWfp from '../../../../plugins/net-wfp/index.ts'
import type { Denial } from '../../../../core/contracts/index.ts'
import { textOf } from '../../support/run.ts'
import { environmentOf, Walls } from '../../support/walls.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())
const reason = /^FwpmEngineOpen0: .*\(1764\)$/

test('the probe says no, with the call that failed', async () => {
  const answer = await launcher.probe('filtering-platform')
  assert.equal(answer.ok, false)
  assert.match(answer.reason, reason)
})

test('the layer is not usable, but of use where it is degraded', async () => {
  const { usable, ...availability } = await netWfp.probe(createHost(launcher))
  assert.equal(usable, false)
  assert.deepEqual(
    { ...availability, reason: '' },
    {
      reason: '',
      remedy: 'Run `bulkhead setup windows` once, as an administrator: it lets you set network filters.',
      degradable: true,
    },
  )
})

test('no wall is pretended', async () => {
  const refused = { code: 'native_failed', message: 'FwpmEngineOpen0 failed with win32 1764' }
  await assert.rejects(closeNetwork('S-1-5-21-7-8-9-1005', 49_152), refused)
  await assert.rejects(mayFilter('S-1-5-21-7-8-9-1005'), refused)
})

const without = { filesystem: 'fs-none', token: 'token-none', network: 'net-wfp', interception: 'intercept-none' } as const

/** Asks the gateway that the environment names for a host, and prints the status line. */
const asking = `
const { hostname, port, username, password } = new URL(process.env.http_proxy)
const socket = require('node:net').connect(+port, hostname)
socket.write('CONNECT evil.example:443 HTTP/1.1\\r\\nHost: evil.example:443\\r\\nProxy-Authorization: Basic ' +
  Buffer.from(username + ':' + password).toString('base64') + '\\r\\n\\r\\n')
socket.once('data', (data) => { console.log(String(data).split('\\r\\n')[0]); socket.destroy() })`

test('a job is refused there, and told how to accept it', async () => {
  await using walls = new Walls(environmentOf(without))
  const workspace = await walls.workspace('mine', {})
  await assert.rejects(walls.enter(workspace, ['node', '-e', asking]), {
    code: 'layer_unusable',
    message: /network \(net-wfp\) cannot work here: filtering-platform: FwpmEngineOpen0: /,
  })
})

test('a job whose configuration accepts it runs, is called degraded, claims nothing, and is led to the gateway', async () => {
  await using walls = new Walls(environmentOf(without, ['network']))
  const workspace = await walls.workspace('mine', {})
  const denials: Denial[] = []
  await using entered = await walls.enter(workspace, ['node', '-e', asking], {}, (denial) => denials.push(denial))
  assert.deepEqual(entered.plan.degraded, ['network'])
  const network = entered.plan.layers.find(({ layer }) => layer === 'network')
  assert.deepEqual([network?.tier, network?.enforces], ['none', []])
  const printed = textOf(entered.sandbox.stdout)
  entered.sandbox.stdin?.end()
  await entered.sandbox.start()
  assert.equal((await entered.sandbox.exited).code, 0)
  assert.equal((await printed).trim(), 'HTTP/1.1 403 Forbidden')
  assert.deepEqual(
    denials.map(({ plugin, reason, object, remedy }) => ({ plugin, reason, object, remedy })),
    [{ plugin: 'net-wfp', reason: 'host_not_allowed', object: 'evil.example:443', remedy: 'network.allow: [evil.example]' }],
  )
})
