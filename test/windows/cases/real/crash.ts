/** A launcher without walls dies with its orchestrator, at whatever step that was. The walls have a file like this of their own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dieAtEveryStep } from '../../support/crash/every-step.ts'
import { environmentOf } from '../../support/walls.ts'

test('killed at each step of a launch without walls, nothing is left', async (context) => {
  const environment = environmentOf({ filesystem: 'fs-none', token: 'token-none', network: 'net-none', interception: 'intercept-none' })
  const deaths = await dieAtEveryStep(environment, () => ({}))
  context.diagnostic(`${deaths.length} deaths: ${deaths.map(({ step }) => step).join(', ')}`)
  assert.deepEqual(
    deaths.filter(({ left }) => left.length > 0),
    [],
  )
  assert.ok(deaths.length > 10, 'the launch has more steps than that')
  assert.equal(deaths.at(-1)?.step, 'none')
})
