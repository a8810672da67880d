import { closeSync, fstatSync, readSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { watch as watchFiles } from 'chokidar'
import type { ChangeCounts } from '../core/contracts/event.ts'
import { openPlain } from '../core/contracts/open-plain.ts'
import type { Workspace } from '../core/contracts/workspace.ts'
import { copyIndex } from './copy-index.ts'
import { toGit } from './filesystem.ts'
import type { Git, Place } from './git.ts'
import { workspaceAt, type Layout } from './layout.ts'
import { findTrap } from './traps.ts'
import { privatePlace } from './private-repository.ts'
import { countLines, parseRaw, total, type LineCounts } from './raw-diff.ts'
import type { Repository } from './repository.ts'

const quietMs = 250
const countTimeoutMs = 20_000
/** Directories that are watched; in a larger tree the rest is seen when something watched changes. */
const maximumDirectories = 10_000
/** New files whose lines are counted, and how much of them is read. */
const countedFiles = 500
const countedBytes = 8 * 1024 * 1024
/** Never watched: git's own, and what package managers fill. */
const unwatched = new Set(['.git', 'node_modules', '.venv', '__pycache__'])

/**
 * Reports how much of the workspace differs from its base, once at the start and whenever that changes. Only directories are watched
 * (one inotify watch each): a directory's watch also tells of its files. Counting waits for 250 ms of quiet, and for ten times as long as
 * the last count took, so that it never takes more than a tenth of the time.
 */
export async function watchWorkspace(
  git: Git,
  repository: Repository,
  layout: Layout,
  workspace: Workspace,
  listener: (counts: ChangeCounts) => void,
): Promise<AsyncDisposable> {
  const paths = workspaceAt(layout, workspace.name)
  const index = join(paths.quarantine, `watch-${process.pid}-${sequence++}.index`)
  const place = privatePlace(paths.quarantine, repository, { workTree: paths.tree, index })
  copyIndex(join(paths.quarantine, 'index'), index)
  const [ignored, tracked] = await Promise.all([ignoredDirectories(git, place, paths.tree), git.fields(place, ['ls-files', '-z'])])
  // Known files are left out before chokidar looks at each of them, which is what takes its time in a large tree.
  const files = new Set(tracked)

  let last = ''
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let closed = false
  let pauseMs = quietMs
  const count = async (): Promise<void> => {
    const started = performance.now()
    try {
      // Intake will refuse the trap; until then there is nothing to count with.
      if ((await findTrap(paths.tree)) !== undefined) return
      const counts = await countChanges(git, place, paths.tree)
      const text = JSON.stringify(counts)
      if (text !== last && !closed) listener(counts)
      last = text
    } catch {
      // The agent changes files while they are read; the next change counts again, and intake decides what is true.
    }
    pauseMs = Math.max(quietMs, 10 * (performance.now() - started))
  }
  const schedule = (): void => {
    if (closed || timer !== undefined) return
    if (running !== undefined) {
      again = true
      return
    }
    timer = setTimeout(() => {
      timer = undefined
      running = count().finally(() => {
        running = undefined
        if (again) {
          again = false
          schedule()
        }
      })
    }, pauseMs)
  }

  const seen = new Set<string>()
  const watcher = watchFiles(paths.tree, {
    followSymlinks: false,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    persistent: true,
    ignored: (path, stats) => {
      const name = toGit(relative(paths.tree, path))
      if (unwatched.has(basename(path)) || files.has(name) || ignored.has(name)) return true
      if (stats === undefined) return false
      if (!stats.isDirectory()) return true
      seen.add(path)
      return seen.size > maximumDirectories
    },
  })
  watcher.on('raw', schedule).on('all', schedule)
  // A directory that vanished or a full inotify table: what is watched already goes on.
  watcher.on('error', schedule)
  await new Promise<void>((resolve) => void watcher.once('ready', resolve))
  schedule()
  return {
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      await watcher.close()
      await running
      rmSync(index, { force: true })
      rmSync(`${index}.lock`, { force: true })
    },
  }
}

let sequence = 0

async function ignoredDirectories(git: Git, place: Place, tree: string): Promise<ReadonlySet<string>> {
  if ((await findTrap(tree)) !== undefined) return new Set()
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory', '--no-empty-directory']
  const entries = await git.fields(place, args, { timeoutMs: countTimeoutMs })
  return new Set(entries.filter((entry) => entry.endsWith('/')).map((entry) => entry.slice(0, -1)))
}

async function countChanges(git: Git, place: Place, tree: string): Promise<ChangeCounts> {
  // Refreshing the private index first makes later counts cheap; files that differ are left for the comparison.
  await git.run(place, ['update-index', '-q', '--refresh', '--ignore-submodules'], { exits: [0, 1], timeoutMs: countTimeoutMs })
  const tracked = await trackedChanges(git, place)
  const added = await git.fields(place, ['ls-files', '-z', '--others', '--exclude-standard'], { timeoutMs: countTimeoutMs })
  const counts = new Map<string, LineCounts>(tracked)
  let budget = countedBytes
  for (const [position, path] of added.entries()) {
    const text = position < countedFiles && budget > 0 ? readSmall(join(tree, path), budget) : undefined
    budget -= text?.length ?? 0
    counts.set(path, { insertions: text === undefined ? 0 : linesOf(text), deletions: 0, binary: text?.includes(0) ?? true })
  }
  return total(counts)
}

async function trackedChanges(git: Git, place: Place): Promise<ReadonlyMap<string, LineCounts>> {
  const diff = ['diff-files', '-z', '--no-renames', '--ignore-submodules=all', '--no-ext-diff', '--no-textconv']
  try {
    return await countLines(git, place, [...diff, '--numstat'], countTimeoutMs)
  } catch {
    // git cannot compare a tracked file that became a pipe or a device; how many files changed can still be told.
    const changes = parseRaw(await git.fields(place, [...diff, '--raw'], { timeoutMs: countTimeoutMs }))
    return new Map(changes.map(({ path }) => [path, { insertions: 0, deletions: 0, binary: true }]))
  }
}

/** Never follows a link and never waits for a pipe: an agent may swap one in at any time. */
function readSmall(path: string, limit: number): Buffer | undefined {
  let descriptor: number
  try {
    descriptor = openPlain(path, 0)
  } catch {
    return undefined
  }
  try {
    const { size, isFile } = { size: fstatSync(descriptor).size, isFile: fstatSync(descriptor).isFile() }
    if (!isFile || size > limit) return undefined
    const buffer = Buffer.alloc(size)
    return buffer.subarray(0, readSync(descriptor, buffer, 0, size, 0))
  } catch {
    return undefined
  } finally {
    closeSync(descriptor)
  }
}

function linesOf(text: Buffer): number {
  if (text.length === 0 || text.includes(0)) return 0
  let lines = text.at(-1) === 0x0a ? 0 : 1
  for (let at = text.indexOf(0x0a); at !== -1; at = text.indexOf(0x0a, at + 1)) lines += 1
  return lines
}
