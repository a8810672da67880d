import type { EnterRequest } from '../../core/contracts/enforcement.ts'
import type { Host } from '../../core/contracts/layer.ts'
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
