import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { move } from './filesystem.ts'
import type { WorkspacesOptions } from './options.ts'

/** Far below PATH_MAX (4,096), with room for the longest name (255). */
const longestPath = 2_000

/**
 * Deletes a directory with all that is in it. Follows no link. Directories that an agent (or overlayfs) made unreadable are opened first,
 * and what lies deeper than a path can name is moved up; only directories are touched, by lstat(2), and nothing else runs in the tree any
 * more. `thorough` does all of that where modes and names cannot.
 */
export function deleteTree(path: string, thorough: WorkspacesOptions['deleteTree']): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!['EACCES', 'EPERM', 'EBUSY', 'ENOTEMPTY', 'ENAMETOOLONG'].includes(code ?? '')) throw error
    if (thorough !== null) return thorough(path)
    makeReachable(path)
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  }
}

function makeReachable(root: string): void {
  const pending = [root]
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    if (!lstatSync(directory).isDirectory()) continue
    chmodSync(directory, 0o700)
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) pending.push(within(root, join(directory, entry.name)))
    }
  }
}

/** The directory itself, or where it was moved to because its path grew too long. */
function within(root: string, directory: string): string {
  if (Buffer.byteLength(directory) <= longestPath + Buffer.byteLength(root)) return directory
  const moved = join(root, `moved-up-${randomBytes(12).toString('hex')}`)
  // A directory can be moved only by who may write it: its `..` changes.
  chmodSync(directory, 0o700)
  move(directory, moved)
  return moved
}
