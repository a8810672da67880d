import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { EnvironmentSpec } from '../../../../core/contracts/index.ts'
import { tryBehindWalls } from './behind-walls.ts'
import type { Attack, Verdict } from './index.ts'

/** One case for each attack: it is tried from inside that environment, and must be refused as a wall refuses. */
export function containsEveryAttack(environment: EnvironmentSpec, attacks: readonly Attack[]): void {
  let verdicts: ReadonlyMap<string, Verdict>

  before(async () => {
    verdicts = await tryBehindWalls(environment, attacks)
  })

  for (const { id, layer, title } of attacks) {
    void test(`${layer} ${id}: to ${title} is refused`, () => {
      const verdict = verdicts.get(id)
      assert.equal(verdict?.outcome, 'contained', verdict?.detail)
    })
  }
}
