import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it, mode 0700; one that exists is left as it is. Throws what mkdir(2) says.
 *
 * Not `mkdirSync` with `recursive`: Node 20 never comes back from it where a directory exists and nothing can be made in it with ENOENT, as
 * in /proc or below an automounter's /home.
 */
export function makeDirectories(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || statSync(parent, { throwIfNoEntry: false }) !== undefined) throw error
    makeDirectories(parent)
    // Again from the start: another process may have made it meanwhile.
    makeDirectories(path)
  }
}
