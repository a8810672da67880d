import type { RetrySpec } from '../contracts/job.ts'
import type { Policy } from '../contracts/policy.ts'

/** What agents may do when nobody has said anything: work in their workspace, and nothing else. */
export const defaultPolicy: Policy = {
  filesystem: { read: [], write: [], deny: [] },
  network: { allow: [] },
  interception: [],
  limits: {
    timeMs: 2 * 3_600_000,
    stallMs: 30 * 60_000,
    outputBytes: 256e6,
    processes: 4096,
    openFiles: 16_384,
    temporaryBytes: 2 * 2 ** 30,
  },
  environment: {},
  pass: ['LANG', 'TERM', 'COLORTERM', 'NO_COLOR', 'TZ'],
}

export const defaultRetry: RetrySpec = { attempts: 1, delayMs: 5000, maximumMs: 5 * 60_000 }

export const defaultGateTimeMs = 30 * 60_000
