import { expect, test } from 'vitest'
import { accountPlugin } from '../../../plugins/token-account/plugin.ts'
import { applyChecks } from '../../conformance/apply-checks.ts'
import { contractChecks } from '../../conformance/contract-checks.ts'
import { faultsOf } from '../../conformance/run.ts'
import { emptyPolicy } from '../../support/fake-request.ts'

test('it fulfils the contract, on a pool in memory', async () => {
  const held = new Set<string>()
  const accounts = Array.from({ length: 64 }, (_, at) => ({
    name: `a-${at}`,
    sid: `S-1-5-21-${at}`,
    secretFile: `C:\\pool\\a-${at}.secret`,
    fault: null,
  }))
  const plugin = accountPlugin({
    list: () => accounts,
    lock: (path) => {
      if (held.has(path)) return undefined
      held.add(path)
      return { [Symbol.dispose]: () => void held.delete(path) }
    },
    sweep: async () => undefined,
  })
  const subject = {
    plugin,
    cases: [
      { name: 'an empty policy', policy: emptyPolicy, options: {} },
      { name: 'the other tier', policy: emptyPolicy, options: { tier: 'write-restricted' } },
    ],
    host: {
      platform: 'win32' as const,
      uid: null,
      gid: null,
      home: 'C:\\Users\\me',
      can: async () => ({ ok: true as const, level: accounts.length, reason: '' }),
    },
    workspace: { path: 'C:\\Users\\me\\w\\tree', gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } },
    making: '',
    // A lock goes with the process that holds it, which a test cannot lose.
    effects: async () => [],
  }
  expect(faultsOf(await contractChecks(subject))).toEqual([])
  expect(faultsOf(await applyChecks(subject))).toEqual([])
})
