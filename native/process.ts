import type { ProcessIdentity } from '../core/contracts/index.ts'
import { binding } from './binding.ts'

/** Identity of a running process; undefined when there is none. Together with the start time a pid is never taken for another. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startTime = binding().startTime(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return binding().startTime(identity.pid) === identity.startTime
}
