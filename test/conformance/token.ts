import type { Outcome } from '../../core/contracts/index.ts'
import type { LayerAttack } from './attack-checks.ts'

/** What a token layer must withstand on Linux, whatever its mechanism. */
export function tokenAttacks(): readonly LayerAttack[] {
  return [
    {
      name: 'using a capability',
      attempts: ['CapPrm', 'CapEff', 'CapInh', 'CapAmb', 'CapBnd'].map((field) => ({ op: 'status', field })),
      // The bounding set is full for everybody who was not walled in.
      escaped: (outcomes) => outcomes.some((outcome) => !/^0+$/.test(valueOf(outcome))),
    },
    {
      name: 'gaining privileges by a set-id program',
      attempts: [{ op: 'status', field: 'NoNewPrivs' }],
      escaped: ([outcome]) => valueOf(outcome) !== '1',
    },
    {
      name: 'signalling the orchestrator',
      attempts: [{ op: 'signal', pid: process.pid }],
      escaped: ([outcome]) => outcome?.ok === true,
    },
    {
      name: 'learning that the orchestrator exists',
      attempts: [{ op: 'signal', pid: process.pid }],
      escaped: ([outcome]) => outcome?.error !== 'ESRCH',
    },
    {
      // Without O_TRUNC: the wall must not depend on how the file is opened.
      name: 'opening a kernel setting for writing',
      attempts: [{ op: 'write', path: '/proc/sys/kernel/core_pattern' }],
      escaped: ([outcome]) => outcome?.ok === true,
      controlNeeds: 'root',
    },
    {
      name: 'reading the password hashes',
      attempts: [{ op: 'read', path: '/etc/shadow' }],
      escaped: ([outcome]) => outcome?.ok === true,
      controlNeeds: 'root',
    },
  ]
}

function valueOf(outcome: Outcome | undefined): string {
  return (outcome?.value ?? '').trim()
}
