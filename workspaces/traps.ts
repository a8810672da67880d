import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Files that git opens wherever it meets the name, before it looks at what they are. */
const openedByName = new Set(['.gitignore', '.gitattributes', '.gitmodules'])

/**
 * The first file of such a name that opening would wait for (a FIFO) or that is a device or socket, relative to `tree`; undefined when
 * there is none. To be asked before any git command reads the tree of an agent. Follows no link.
 */
export async function findTrap(tree: string): Promise<string | undefined> {
  const pending = [tree]
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of await entriesOf(directory)) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) pending.push(path)
      else if (openedByName.has(entry.name) && !entry.isFile() && !entry.isSymbolicLink()) return relative(tree, path)
    }
  }
  return undefined
}

/** A directory that cannot be read cannot be read by git either, which then says so. */
async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch {
    return []
  }
}
