import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Deletes a directory with all that is in it. Follows no link. Directories that an agent (or overlayfs) made unreadable are opened first;
 * only directories are, by lstat(2), and nothing else runs in the tree any more.
 */
export function deleteTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOTEMPTY') throw error
    openDirectories(path)
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

function openDirectories(path: string): void {
  const pending = [path]
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    if (!lstatSync(directory).isDirectory()) continue
    chmodSync(directory, 0o700)
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) pending.push(join(directory, entry.name))
  }
}
