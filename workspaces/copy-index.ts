import { copyFileSync, statSync, utimesSync } from 'node:fs'

/**
 * Copies git's index with its time. git takes a file whose size and time are those in the index for unchanged, but reads it all the same when
 * it is not older than the index: usually it compares whole seconds only, and a file can be changed again within one. A copy with a newer time
 * would hide such changes (git's Documentation/technical/racy-git.txt).
 */
export function copyIndex(from: string, to: string): void {
  copyFileSync(from, to)
  const { mtimeMs } = statSync(from)
  // Never rounded up: older means that git looks more closely.
  const time = Math.floor(mtimeMs) / 1000
  utimesSync(to, time, time)
}
