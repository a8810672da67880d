/** Without the double, the same programs under the same token do all of it: what refuses elsewhere is the double, and nothing else. */
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { allowedActs, planted, refusedActs } from '../../support/confined-acts.ts'
import { attempt, Ground, tiers } from '../../support/confined.ts'

describe('what the double refuses succeeds', () => {
  using ground = new Ground()
  const refused = refusedActs.map((act) => ({ ...act, line: act.attempt(ground) }))
  const allowed = allowedActs.map((act) => ({ ...act, line: act.attempt(ground) }))
  const answers = attempt(
    [...ground.open(), ...tiers.blind],
    [...refused, ...allowed].map(({ line }) => line),
  )
  for (const { name, line } of refused) test(name, () => assert.equal(answers.get(line), 'ok'))
  for (const { name, line } of allowed) test(`also ${name}`, () => assert.equal(answers.get(line), 'ok'))
  for (const path of planted) rmSync(path, { force: true })
})

test('so do children', () => {
  using ground = new Ground()
  const one = join(ground.outside, 'by-grandchild')
  attempt([...ground.open(), ...tiers.blind], [`spawn|cmd.exe /d /c cmd.exe /d /c echo x>${one}`])
  assert.equal(existsSync(one), true)
})
