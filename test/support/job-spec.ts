import type { JobSpec, Policy } from '../../core/contracts/index.ts'

export const openPolicy: Policy = {
  filesystem: { read: [], write: [], deny: [] },
  network: { allow: [] },
  interception: [],
  limits: { timeMs: null, stallMs: null, outputBytes: null, processes: null, openFiles: null, temporaryBytes: null },
  environment: {},
}

const layer = (plugin: string): { plugin: string; options: unknown } => ({ plugin, options: {} })

let made = 0

/** A complete job; every call gives another id, name and port. */
export function jobSpec(changes: Partial<JobSpec> = {}): JobSpec {
  made += 1
  const number = made.toString(36).padStart(12, '0')
  return {
    id: `job_${number}`,
    name: `job-${made}`,
    prompt: 'Make it better',
    agent: { name: 'fake', adapter: 'agent-fake', options: {} },
    environment: {
      name: 'none',
      layers: { filesystem: layer('fs-x'), token: layer('token-x'), network: layer('net-x'), interception: layer('intercept-x') },
      degrade: [],
    },
    policy: openPolicy,
    needs: [],
    priority: 0,
    retry: { attempts: 1, delayMs: 10, maximumMs: 100 },
    target: 'refs/heads/main',
    base: 'a'.repeat(40),
    setup: null,
    gates: [],
    port: 20_000 + made,
    submittedAt: 1_700_000_000_000 + made,
    ...changes,
  }
}
