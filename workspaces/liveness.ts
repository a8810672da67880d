import { readFileSync } from 'node:fs'

/** A process, so that a reused process id is not taken for it. */
export interface ProcessMark {
  readonly pid: number
  /** Field 22 of proc(5) `/proc/<pid>/stat`; `0` where there is no /proc. */
  readonly startTime: string
}

export function ownMark(): ProcessMark {
  return { pid: process.pid, startTime: startTime(process.pid) ?? '0' }
}

export function isAlive(mark: ProcessMark): boolean {
  const now = startTime(mark.pid)
  if (now !== undefined) return mark.startTime === '0' || now === mark.startTime
  if (startTime(process.pid) !== undefined) return false
  try {
    process.kill(mark.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses and may itself contain spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
