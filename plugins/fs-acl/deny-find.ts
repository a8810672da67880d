import { setImmediate as nextTurn } from 'node:timers/promises'
import { BulkheadError } from '../../core/contracts/index.ts'
import { foldCase, isInside } from '../../native/index.ts'
import type { DenyPattern, Segment } from './deny-pattern.ts'
import { entriesOf } from './disk.ts'
import type { DirectoryEntry, Disk } from './disk.ts'

/** Closing more than this would be a mistake in the pattern. */
const mostDenied = 1000

export interface Denied {
  readonly path: string
  readonly directory: boolean
}

/**
 * What exists of the denied names inside `open` (what the agent gets to), sorted, without what lies in another one. Throws
 * `config_invalid` when it is more than a thousand, and for a link: what it leads to could not be closed with it.
 */
export async function findDenied(
  disk: Disk,
  patterns: readonly DenyPattern[],
  open: readonly string[],
  signal: AbortSignal,
): Promise<readonly Denied[]> {
  const found = new Map<string, Denied>()
  const finder = new Finder(disk, open, signal)
  for (const pattern of patterns) {
    await finder.from(pattern.base, pattern.segments, (path, entry) => {
      if (entry.link) throw invalid(pattern.text, `"${path}" is a link, and what it leads to is not closed with it`, 'Deny that itself.')
      if (pattern.directoriesOnly && !entry.directory) return
      found.set(foldCase(path), { path, directory: entry.directory })
      if (found.size > mostDenied)
        throw invalid(pattern.text, `matches more than ${mostDenied} files and directories`, 'Name what holds them.')
    })
  }
  const all = [...found.values()].toSorted((left, right) => (left.path < right.path ? -1 : 1))
  return all.filter(({ path }) => !all.some((other) => other.path !== path && isInside(path, other.path)))
}

type Match = (path: string, entry: DirectoryEntry) => void

/** Goes only into directories that a pattern can still match in, and only towards what is open. */
class Finder {
  readonly #disk: Disk
  readonly #open: readonly string[]
  readonly #signal: AbortSignal
  #looked = 0

  constructor(disk: Disk, open: readonly string[], signal: AbortSignal) {
    this.#disk = disk
    this.#open = open
    this.#signal = signal
  }

  async from(directory: string, segments: readonly Segment[], match: Match): Promise<void> {
    this.#signal.throwIfAborted()
    if (++this.#looked % 64 === 0) await nextTurn()
    const [segment, ...rest] = segments
    if (segment === undefined || !this.#leadsToOpen(directory)) return
    if (segment.kind === 'any' && rest.length > 0) await this.from(directory, rest, match)
    // What the user may not list, nobody who runs as the user and is restricted besides can list.
    for (const entry of entriesOf(this.#disk, directory)) {
      const path = `${directory.endsWith('\\') ? directory : `${directory}\\`}${entry.name}`
      if (segment.kind === 'any') {
        if (rest.length === 0) this.#found(path, entry, match)
        else if (entry.directory && !entry.link) await this.from(path, segments, match)
      } else if (segment.kind === 'glob' ? segment.match(entry.name) : foldCase(segment.name) === foldCase(entry.name)) {
        if (rest.length === 0) this.#found(path, entry, match)
        else if (entry.directory && !entry.link) await this.from(path, rest, match)
      }
    }
  }

  #found(path: string, entry: DirectoryEntry, match: Match): void {
    if (this.#open.some((root) => isInside(path, root))) match(path, entry)
  }

  #leadsToOpen(directory: string): boolean {
    return this.#open.some((root) => isInside(directory, root) || isInside(root, directory))
  }
}

function invalid(pattern: string, fault: string, remedy: string): BulkheadError {
  return new BulkheadError('config_invalid', `filesystem.deny "${pattern}": ${fault}`, { remedy })
}
