/** Every claim of the restricted token holds when it is attacked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLauncher } from '../../../../native/index.ts'
import { attackToken } from '../../support/restricted.ts'

for (const options of [{}, { tier: 'write-restricted' }, { sessionObjects: true }, { integrity: 'medium', privateDesktop: false }]) {
  test(`each claim holds: ${JSON.stringify(options)}`, async () => {
    const { plan, evidence } = await attackToken(options)
    assert.deepEqual(
      evidence.map(({ claim }) => claim),
      plan.enforces.map(({ id }) => id),
    )
    assert.deepEqual(
      evidence.filter(({ held }) => !held),
      [],
    )
  })
}

test('the feature is there', async () => {
  await using launcher = createLauncher()
  assert.deepEqual(await launcher.probe('restricted-token'), { ok: true, level: 0, reason: '' })
})
