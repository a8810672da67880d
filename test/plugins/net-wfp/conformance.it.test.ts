import { describe, expect, test } from 'vitest'
import { wfpPlugin } from '../../../plugins/net-wfp/plugin.ts'
import { applyChecks } from '../../conformance/apply-checks.ts'
import { contractChecks } from '../../conformance/contract-checks.ts'
import type { Subject } from '../../conformance/subject.ts'
import { emptyPolicy, fakeHost } from '../../support/fake-request.ts'
import { agentAccount, FakeFiltering } from './fake-filtering.ts'

function subject(provided: Subject['provided']): Subject {
  const filtering = new FakeFiltering()
  return {
    plugin: wfpPlugin(filtering),
    cases: [
      { name: 'an empty policy', policy: emptyPolicy, options: {} },
      { name: 'a host', policy: { ...emptyPolicy, network: { allow: [{ host: 'example.com', port: null }] } }, options: {} },
    ],
    host: { ...fakeHost, platform: 'win32' },
    workspace: { path: '/w', gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } },
    making: '/making',
    ...(provided && { provided }),
    effects: async () => [...filtering.walls],
  }
}

describe.each([
  ['with an account', { account: agentAccount }],
  ['without one', undefined],
])('%s it', (_, provided) => {
  test('fulfils the contract of a layer', async () => {
    const findings = [...(await contractChecks(subject(provided))), ...(await applyChecks(subject(provided)))]
    expect(findings.length).toBeGreaterThan(10)
    // Filters end with the process, which that check plays dead and keeps alive; `test/windows/cases/kernel/wfp.ts` really kills it.
    const foreign = (check: string): boolean => check.startsWith('recovers from its receipts alone')
    expect(findings.filter(({ check, faults }) => faults.length > 0 && !foreign(check))).toEqual([])
  })
})
