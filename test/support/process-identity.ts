import { readFileSync } from 'node:fs'
import type { OrchestratorRecord } from '../../core/contracts/index.ts'

/** Start time of a process: proc(5), field 22 of stat; undefined when there is no such process or it is a zombie. */
function startTimeOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name is in parentheses and may hold anything, so count from the last one.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export function ownIdentity(): OrchestratorRecord {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }
}

export function isProcessAlive(record: OrchestratorRecord): boolean {
  return startTimeOf(record.pid) === record.startTime
}
