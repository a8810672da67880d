import type { ErrorCode } from '../contracts/error.ts'
import type { ExitReason } from '../contracts/event.ts'
import type { RetrySpec } from '../contracts/job.ts'

/** Milliseconds to wait after failed attempt number `attempt`: full jitter below a doubling, capped bound. `random` is in [0, 1). */
export function retryDelay(retry: RetrySpec, attempt: number, random: () => number): number {
  const bound = Math.min(retry.maximumMs, retry.delayMs * 2 ** (attempt - 1))
  return Math.floor(random() * (bound + 1))
}

/** How an agent's end counts. What policy ended (`rule`) or an output flood would only be the same again. */
export function isWorthRetrying(reason: ExitReason): boolean {
  return reason === 'exited' || reason === 'time' || reason === 'stall'
}

/** Failures of Bulkhead's own that another try may not meet. Refusals and wrong configuration are not among them. */
const passing: readonly ErrorCode[] = ['workspace_failed', 'git_failed', 'native_failed', 'plugin_failed', 'host_no_space']

export function isPassing(code: ErrorCode): boolean {
  return passing.includes(code)
}
