import type { EnterRequest } from '../../core/contracts/enforcement.ts'
import type { ApplyContext, Host, PlanContext } from '../../core/contracts/layer.ts'
import type { Policy } from '../../core/contracts/policy.ts'
import { fakeEnvironment } from './fake-layer.ts'

export const fakeHost: Host = {
  platform: 'linux',
  uid: 1000,
  gid: 1000,
  home: '/home/user',
  can: async () => ({ ok: true, level: 1, reason: '' }),
}

export const emptyPolicy: Policy = {
  filesystem: { read: [], write: [], deny: [] },
  network: { allow: [] },
  interception: [],
  limits: { timeMs: null, stallMs: null, outputBytes: null, processes: 64, openFiles: null, temporaryBytes: null },
  environment: { LANG: 'C.UTF-8' },
}

export function planContext(change: Partial<PlanContext> = {}): PlanContext {
  return {
    host: fakeHost,
    job: 'job_000000000001',
    workspace: { path: '/ws/tree', gitDirectory: null, objectStores: [], owner: { uid: 1000, gid: 1000 } },
    availability: { usable: true, tier: 'full', detail: 'fake' },
    capabilities: [],
    ...change,
  }
}

/** Refuses receipts unless told otherwise. */
export function applyContext(change: Partial<ApplyContext> = {}): ApplyContext {
  const { host, job, workspace } = planContext()
  return {
    host,
    job,
    workspace,
    provided: {},
    signal: new AbortController().signal,
    record: () => Promise.reject(new Error('there is nothing to record')),
    report: () => undefined,
    ...change,
  }
}

export function enterRequest(change: Partial<EnterRequest> = {}): EnterRequest {
  return {
    job: 'job_000000000001',
    environment: fakeEnvironment(),
    policy: emptyPolicy,
    workspace: { path: '/ws/tree', gitDirectory: '/ws/git', objectStores: [], owner: { uid: 1000, gid: 1000 } },
    command: { argv: ['true'], directory: '/ws/tree', environment: { NAME: 'value' } },
    stdio: { kind: 'pipes' },
    signal: new AbortController().signal,
    onDenial: () => undefined,
    ...change,
  }
}
