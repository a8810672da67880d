/** Probes do the thing and look at what came of it, so under bare Wine they must not say yes to what Wine only pretends. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { HostFeature } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

test('job objects are real', async () => {
  assert.deepEqual(await launcher.probe('job-object'), { ok: true, level: 0, reason: '' })
})

test('restricting SIDs are not', async () => {
  const reason = 'CreateRestrictedToken: the system ignored the restricting SIDs'
  assert.deepEqual(await launcher.probe('restricted-token'), { ok: false, level: 0, reason })
})

test('this process has all there is', async () => {
  assert.deepEqual(await launcher.probe('elevation'), { ok: true, level: 2, reason: '' })
})

test('a feature of another system is unknown', async () => {
  assert.deepEqual(await launcher.probe('user-namespace'), { ok: false, level: 0, reason: 'unknown feature' })
  assert.deepEqual(await launcher.probe('' as HostFeature), { ok: false, level: 0, reason: 'unknown feature' })
})
