import { BulkheadError } from '../contracts/error.ts'

/** Below the ephemeral range of Linux (32768) and above what services use. */
export const portRange = { first: 20_000, last: 29_999 } as const

/**
 * The port a job is given: the same for the same name where it is free, otherwise the next free one. `taken` are the ports of jobs that
 * were not removed. Throws `usage_invalid` when none is left.
 */
export function reservePort(name: string, taken: ReadonlySet<number>): number {
  const size = portRange.last - portRange.first + 1
  // FNV-1a: spreads names; nothing depends on its strength.
  let hash = 0x811c9dc5
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  for (let step = 0; step < size; step++) {
    const port = portRange.first + ((hash + step) % size)
    if (!taken.has(port)) return port
  }
  throw new BulkheadError('usage_invalid', 'Every port that can be reserved for a job is taken.', {
    remedy: 'Remove jobs that are done with bulkhead rm.',
  })
}
