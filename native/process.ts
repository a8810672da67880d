import { BulkheadError } from '../core/contracts/index.ts'
import type { ProcessIdentity } from '../core/contracts/index.ts'
import { platform } from './current.ts'

/** Identity of a running process: together with the start time a pid is never taken for another. Throws `internal` when there is none. */
export function processIdentity(pid: number): ProcessIdentity {
  const startTime = platform.startTime(pid)
  if (startTime === undefined) throw new BulkheadError('internal', `there is no process ${pid}`)
  return { pid, startTime }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return platform.startTime(identity.pid) === identity.startTime
}
