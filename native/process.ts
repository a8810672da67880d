import { BulkheadError } from '../core/contracts/index.ts'
import type { ProcessIdentity } from '../core/contracts/index.ts'
import { binding } from './binding.ts'

/** Identity of a running process: together with the start time a pid is never taken for another. Throws `internal` when there is none. */
export function processIdentity(pid: number): ProcessIdentity {
  const startTime = binding().startTime(pid)
  if (startTime === undefined) throw new BulkheadError('internal', `there is no process ${pid}`)
  return { pid, startTime }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return binding().startTime(identity.pid) === identity.startTime
}
