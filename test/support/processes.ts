import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly state: string
}

/** proc_pid_stat(5); undefined when there is no such process. */
export function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid, parent: Number(parent), state }
  } catch {
    return undefined
  }
}

function allProcesses(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => factsOf(Number(name)) ?? [])
}

/** Pids of running processes (no zombies) whose environment holds `mark`: it reaches every descendant, however it was orphaned. */
export function marked(mark: string): number[] {
  return allProcesses()
    .filter(({ pid, state }) => {
      if (state === 'Z') return false
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`MARK=${mark}`)
      } catch {
        return false
      }
    })
    .map(({ pid }) => pid)
}

export function childrenOf(pid: number): ProcessFacts[] {
  return allProcesses().filter(({ parent }) => parent === pid)
}

/** Helpers of this process. */
export function helpers(): number[] {
  return childrenOf(process.pid)
    .filter(({ pid, state }) => {
      if (state === 'Z') return false
      try {
        return readlinkSync(`/proc/${pid}/exe`).endsWith('/bulkhead-helper')
      } catch {
        return false
      }
    })
    .map(({ pid }) => pid)
}

export async function until(condition: () => boolean, withinMs = 3000): Promise<boolean> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return true
}
