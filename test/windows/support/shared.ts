import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as vitest from 'vitest'

interface Shim {
  leaveOut(reasons: Readonly<Record<string, string>>): void
  unmet(): readonly string[]
}

/**
 * Runs a test file of the Linux suite here too. `leftOut` names tests that cannot run, each with the reason, by the beginning of the full
 * name; a name that no test has fails, so that the list stays true.
 */
export async function shared(load: () => Promise<unknown>, leftOut: Readonly<Record<string, string>>): Promise<void> {
  const shim = vitest as unknown as Shim
  shim.leaveOut(leftOut)
  try {
    await load()
  } catch (error) {
    // Otherwise what ran before it would be a green file.
    await test('the tests can be loaded', () => {
      throw error
    })
  }
  await test('every test that is left out exists', () => assert.deepEqual(shim.unmet(), []))
}
