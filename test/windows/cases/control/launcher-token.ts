/** The attacks on the restricted token succeed where nothing stands in their way: a claim that cannot fail would prove nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackToken, held } from '../../support/restricted.ts'

test('without a token nothing holds but what the launcher does for every agent: a job that cannot be left', async () => {
  const attacked = await attackToken({}, (spec) => ({ ...spec, token: null }))
  assert.deepEqual(
    Object.entries(held(attacked)).flatMap(([claim, holds]) => (holds ? [claim] : [])),
    ['born-in-job'],
  )
  assert.equal(attacked.evidence.length, attacked.plan.enforces.length)
})

test('where restricting SIDs and levels are not enforced, exactly the claims that need them fail', async () => {
  const failing = async (options: unknown): Promise<string[]> =>
    Object.entries(held(await attackToken(options))).flatMap(([claim, holds]) => (holds ? [] : [claim]))
  assert.deepEqual(await failing({}), ['host-processes-closed', 'access-checked-twice', 'low-integrity'])
  assert.deepEqual(await failing({ tier: 'write-restricted', privateDesktop: false }), [
    'host-processes-unchangeable',
    'changes-checked-twice',
  ])
})
