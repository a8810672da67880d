import { expect, test } from 'vitest'
import { applyChecks } from '../../conformance/apply-checks.ts'
import { contractChecks } from '../../conformance/contract-checks.ts'
import { faultsOf } from '../../conformance/run.ts'
import type { Subject } from '../../conformance/subject.ts'
import { emptyPolicy } from '../../support/fake-request.ts'
import { home, host, job, makeWorkspace, stage } from './stage.ts'

test('it fulfils the contract, on a disk in memory', async () => {
  const one = stage()
  await makeWorkspace(one)
  const filesystem = { read: [`${home}\\Documents`], write: [`${home}\\project`], deny: ['.env', 'README.md'] }
  const subject: Subject = {
    plugin: one.plugin,
    cases: [
      { name: 'an empty policy', policy: emptyPolicy, options: {} },
      { name: 'a policy with everything', policy: { ...emptyPolicy, filesystem }, options: {} },
      { name: 'a policy with limits', policy: { ...emptyPolicy, limits: { ...emptyPolicy.limits, temporaryBytes: 1e9 } }, options: {} },
    ],
    host,
    workspace: job,
    making: '',
    effects: async () => [...one.disk.snapshot(), ...(one.disk.entries(`${home}\\AppData\\Local\\Bulkhead\\private`) ?? [])],
  }
  expect(faultsOf(await contractChecks(subject))).toEqual([])
  expect(faultsOf(await applyChecks(subject))).toEqual([])
})
