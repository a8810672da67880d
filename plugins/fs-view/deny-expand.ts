import type { Dirent } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BulkheadError } from '../../core/contracts/index.ts'
import { mostHidden } from './constants.ts'
import type { DenyPattern, Segment } from './deny-pattern.ts'
import { isSameOrInside, isSameOrInsideAny } from './paths.ts'

/**
 * What exists of the denied names inside `shown` (directories and files of the host that the view shows), sorted, without what lies in
 * another one. Links are never followed on the way; a denied link stands for what it leads to, as far as that is shown at all.
 *
 * Throws `config_invalid` when it is more than `mostHidden`.
 */
export async function expandDeny(
  patterns: readonly DenyPattern[],
  shown: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const walk = new Walk(shown, signal, async (path, entry) => {
      const target = await coverable(path, entry, shown)
      if (target === undefined || (pattern.directoriesOnly && !(await lstat(target)).isDirectory())) return
      found.add(target)
      if (found.size > mostHidden) throw tooMany(pattern.text)
    })
    await walk.from('/', pattern.segments)
  }
  const sorted = [...found].toSorted()
  return sorted.filter((path) => !sorted.some((other) => other !== path && isSameOrInside(path, other)))
}

type Entry = Pick<Dirent, 'name' | 'isDirectory' | 'isSymbolicLink'>
type Found = (path: string, entry: Entry) => Promise<void>

/** Descends only into directories that a pattern can still match in, and only towards what is shown. */
class Walk {
  readonly #shown: readonly string[]
  readonly #signal: AbortSignal
  readonly #found: Found

  constructor(shown: readonly string[], signal: AbortSignal, found: Found) {
    this.#shown = shown
    this.#signal = signal
    this.#found = found
  }

  async from(directory: string, segments: readonly Segment[]): Promise<void> {
    this.#signal.throwIfAborted()
    const [segment, ...rest] = segments
    if (segment === undefined) return
    if (segment.kind === 'name') return this.#step(directory, await this.#entry(join(directory, segment.name), segment.name), rest)
    if (segment.kind === 'any' && rest.length > 0) await this.from(directory, rest)
    for (const entry of await this.#entries(directory)) {
      if (segment.kind === 'glob') {
        if (segment.match.test(entry.name)) await this.#step(directory, entry, rest)
      } else if (rest.length === 0) await this.#step(directory, entry, rest)
      else if (entry.isDirectory()) await this.from(join(directory, entry.name), segments)
    }
  }

  async #step(directory: string, entry: Entry | undefined, rest: readonly Segment[]): Promise<void> {
    if (entry === undefined) return
    const path = join(directory, entry.name)
    if (rest.length === 0) await this.#found(path, entry)
    else if (entry.isDirectory()) await this.from(path, rest)
  }

  async #entries(directory: string): Promise<readonly Entry[]> {
    if (isSameOrInsideAny(directory, this.#shown)) {
      return readdir(directory, { withFileTypes: true }).catch(unlessGone<Dirent[]>([]))
    }
    // Above what is shown only the way down to it exists for the agent.
    const prefix = directory === '/' ? '/' : `${directory}/`
    const names = this.#shown.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split('/')[0] ?? '')
    const entries = await Promise.all([...new Set(names)].map((name) => this.#entry(join(directory, name), name)))
    return entries.filter((entry) => entry !== undefined)
  }

  async #entry(path: string, name: string): Promise<Entry | undefined> {
    if (!isSameOrInsideAny(path, this.#shown) && !this.#shown.some((one) => isSameOrInside(one, path))) return undefined
    const stats = await lstat(path).catch(unlessGone(undefined))
    return stats && { name, isDirectory: () => stats.isDirectory(), isSymbolicLink: () => stats.isSymbolicLink() }
  }
}

async function coverable(path: string, entry: Entry, shown: readonly string[]): Promise<string | undefined> {
  if (!entry.isSymbolicLink()) return path
  const target = await realpath(path).catch(unlessGone(undefined))
  // A link to the whole of something shown (`loop -> .`) must not take all of it away.
  return target !== undefined && isSameOrInsideAny(dirname(target), shown) ? target : undefined
}

/** What is not there, or cannot be looked into, cannot be looked into by the agent either: it has at most the same permissions. */
function unlessGone<T>(otherwise: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(error.code ?? '')) return otherwise
    throw error
  }
}

function tooMany(pattern: string): BulkheadError {
  return new BulkheadError('config_invalid', `filesystem.deny "${pattern}" matches more than ${mostHidden} files and directories`, {
    remedy: 'Deny the directories that hold them.',
  })
}
