import type { Disk } from './disk.ts'
import { walk } from './walk.ts'

/** Between two measurements, at least this, and at least this many times what the last one took. In milliseconds. */
const pauseMs = 1_000
const easeOff = 20

/** True when the files in a directory have more than `limit` bytes together. Looks no further than that. */
export async function holdsMoreThan(disk: Disk, directory: string, limit: number, signal: AbortSignal): Promise<boolean> {
  const enough = new AbortController()
  let bytes = 0
  try {
    await walk(disk, directory, AbortSignal.any([signal, enough.signal]), (found) => {
      if (!found.directory) bytes += disk.size(found.path)
      if (bytes > limit) enough.abort()
      return 'enter'
    })
  } catch (error) {
    if (!enough.signal.aborted) throw error
  }
  return bytes > limit
}

/**
 * Calls `exceeded` once, when a directory holds more than `limit` bytes, and then stops. Windows has no quota for a directory, so it is
 * measured again and again, at a twentieth of one processor at most; between two measurements an agent can write more than it may keep.
 */
export function watchUsage(disk: Disk, directory: string, limit: number, exceeded: () => void): Disposable {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const again = (after: number): void => {
    timer = setTimeout(() => void measure(), Math.max(pauseMs, after))
    timer.unref()
  }
  const measure = async (): Promise<void> => {
    const begun = performance.now()
    // What cannot be measured (it is being deleted under our eyes) is measured the next time.
    const more = await holdsMoreThan(disk, directory, limit, stop.signal).catch(() => false)
    if (stop.signal.aborted) return
    if (more) exceeded()
    else again((performance.now() - begun) * easeOff)
  }
  again(0)
  return {
    [Symbol.dispose]: () => {
      stop.abort()
      clearTimeout(timer)
    },
  }
}
