import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Entries that are looked at; an agent may have made more, and then keeps its locks. */
const mostEntries = 10_000

/**
 * Removes the lock files (lockfile.h: `<name>.lock`) that a git killed in the middle left in an agent's git directory, where nothing runs any
 * more; otherwise the next attempt's first `git commit` fails. Follows no link, and leaves objects alone.
 */
export function removeStaleLocks(gitDirectory: string): void {
  const pending = [gitDirectory]
  let seen = 0
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of entriesOf(directory)) {
      if (++seen > mostEntries) return
      const path = join(directory, entry.name)
      if (entry.isDirectory() && path !== join(gitDirectory, 'objects')) pending.push(path)
      if (entry.isFile() && entry.name.endsWith('.lock')) rmSync(path, { force: true })
    }
  }
}

/** What the agent made unreadable stays as it is: it hurts only itself. */
function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}
