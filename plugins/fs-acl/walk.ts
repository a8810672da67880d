import { setImmediate as nextTurn } from 'node:timers/promises'
import { entriesOf } from './disk.ts'
import type { Disk } from './disk.ts'

interface Found {
  readonly path: string
  readonly directory: boolean
}

/** What to do with what was found: go into a directory, or leave it alone with everything in it. */
export type Visit = (found: Found) => 'enter' | 'leave'

/**
 * Visits everything inside a directory, itself not; links are left out, and so is what cannot be listed. Lets others work from time to time,
 * for a big tree takes seconds. Ends early when `signal` aborts.
 */
export async function walk(disk: Disk, root: string, signal: AbortSignal | null, visit: Visit): Promise<void> {
  const pending = [root]
  let visited = 0
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of entriesOf(disk, directory)) {
      if (entry.link) continue
      const path = `${directory.endsWith('\\') ? directory : `${directory}\\`}${entry.name}`
      if (visit({ path, directory: entry.directory }) === 'enter' && entry.directory) pending.push(path)
      if (++visited % 128 === 0) await nextTurn()
      signal?.throwIfAborted()
    }
  }
}

/** True when there are more than `most` files and directories in it. Looks no further than that. */
export async function hasMoreThan(disk: Disk, root: string, most: number, signal: AbortSignal): Promise<boolean> {
  const enough = new AbortController()
  let count = 0
  await walk(disk, root, AbortSignal.any([signal, enough.signal]), () => {
    if (++count > most) enough.abort()
    return 'enter'
  }).catch((error: unknown) => {
    if (!enough.signal.aborted) throw error
  })
  return count > most
}
