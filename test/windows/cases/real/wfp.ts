/** Wine has no filtering platform: that must be said, and nothing may crash of it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createHost, createLauncher } from '../../../../native/index.ts'
import { closeNetwork, mayFilter } from '../../../../native/windows/wfp.ts'
import netWfp from '../../../../plugins/net-wfp/index.ts'

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
