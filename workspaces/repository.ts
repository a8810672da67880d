import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { RepositoryFacts } from '../core/contracts/workspace.ts'
import { BulkheadError } from '../core/contracts/error.ts'
import { canonicalPath } from './filesystem.ts'
import type { Git, Place } from './git.ts'
import type { WorkspacesOptions } from './options.ts'
import { objectStoresOf } from './object-stores.ts'
import { visibleLine } from './visible.ts'

/** The user's repository and what else the git side needs to know of it. */
export interface Repository extends RepositoryFacts {
  /** True when there is no main checkout. */
  readonly bare: boolean
  /** `sha1` or `sha256`. */
  readonly objectFormat: string
  /** True when refs are kept as files (`extensions.refStorage` is absent or `files`). */
  readonly refFiles: boolean
  readonly objectStores: readonly string[]
  /** Every host command that reads or changes the user's repository uses this place. */
  readonly place: Place
  readonly processes: WorkspacesOptions['processes']
  readonly deleteTree: WorkspacesOptions['deleteTree']
  /** Where git finds the user's own configuration. */
  readonly variables: NodeJS.ProcessEnv
}

/**
 * Finds the repository that `directory` belongs to: a main checkout, a linked worktree, a submodule's checkout or a bare repository.
 * Throws `usage_not_a_repository`, also where there is no commit yet and for a partial clone.
 */
export async function findRepository(git: Git, options: WorkspacesOptions): Promise<Repository> {
  const { directory, variables, stateHome, processes, deleteTree } = options
  const start = existingDirectory(directory)
  if (isWithin(stateHome, start)) throw notARepository(start, 'is inside Bulkhead’s own state', 'Run this in your own checkout.')

  const ask = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await git.discover(start, variables, ['--path-format=absolute', ...args])
    if (exitCode === 0) return stdout.toString('utf8').replace(/\n$/, '')
    const dubious = stderr.includes('dubious ownership')
    throw notARepository(
      start,
      dubious ? 'is in a repository that belongs to another user' : 'is not in a git repository',
      dubious ? 'If you trust it: git config --global --add safe.directory <directory>' : 'Run this inside a repository, or git init one.',
    )
  }

  const gitDirectory = canonicalPath(await ask('--git-common-dir'))
  const objectFormat = await ask('--show-object-format')
  const place: Place = { gitDirectory }
  const config = async (key: string, type = 'path'): Promise<string | null> => {
    const { stdout, exitCode } = await git.run(place, ['config', `--type=${type}`, '-z', '--get', key], { exits: [0, 1] })
    return exitCode === 0 ? stdout.toString('utf8').replace(/\0$/, '') : null
  }
  const bare = (await config('core.bare', 'bool')) === 'true'
  const root = await mainCheckout({ bare, gitDirectory, workTree: await config('core.worktree'), ask })

  const promisors = ['config', '--get-regexp', '^(extensions\\.partialclone|remote\\..*\\.promisor)$']
  if ((await git.run(place, promisors, { exits: [0, 1] })).exitCode === 0) {
    throw notARepository(root, 'is a partial clone', 'Use a full clone: objects that are missing cannot be fetched from inside the walls.')
  }
  // Not `rev-list --all`: it fails while another process adds a worktree, whose HEAD names no commit for a moment.
  const commits = await git.run(place, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { exits: [0, 1, 128] })
  const branches = await git.run(place, ['for-each-ref', '--count=1', 'refs/heads/'])
  if (commits.exitCode !== 0 && branches.stdout.length === 0) throw notARepository(root, 'has no commit yet', 'Make a first commit.')
  const head = await git.run(place, ['symbolic-ref', '--quiet', 'HEAD'], { exits: [0, 1] })

  const state = join(stateHome, `${safeBasename(root)}-${createHash('sha256').update(gitDirectory).digest('hex').slice(0, 12)}`)
  if (isWithin(root, state) || isWithin(gitDirectory, state)) {
    throw new BulkheadError('usage_invalid', `the state directory ${visibleLine(state)} lies inside the repository`, {
      remedy: 'Set BULKHEAD_STATE to a directory outside it.',
    })
  }
  return {
    root,
    gitDirectory,
    state,
    head: head.exitCode === 0 ? head.stdout.toString('utf8').trim() : null,
    bare,
    objectFormat,
    refFiles: ((await config('extensions.refStorage')) ?? 'files') === 'files',
    objectStores: objectStoresOf(join(gitDirectory, 'objects')),
    place,
    processes,
    deleteTree,
    variables,
  }
}

async function mainCheckout(known: {
  bare: boolean
  gitDirectory: string
  workTree: string | null
  ask: (...args: string[]) => Promise<string>
}): Promise<string> {
  if (known.bare) return known.gitDirectory
  if (known.workTree !== null) return canonicalPath(resolve(known.gitDirectory, known.workTree))
  if (basename(known.gitDirectory) === '.git') return dirname(known.gitDirectory)
  // `git init --separate-git-dir`: only the main checkout itself knows where it is.
  if (canonicalPath(await known.ask('--git-dir')) === known.gitDirectory) return canonicalPath(await known.ask('--show-toplevel'))
  throw notARepository(known.gitDirectory, 'has its main checkout elsewhere', 'Run this in the main checkout.')
}

function existingDirectory(directory: string): string {
  try {
    const path = canonicalPath(directory)
    if (statSync(path).isDirectory()) {
      // git is started there.
      accessSync(path, constants.X_OK)
      return path
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw notARepository(directory, 'is closed to you', 'Name a directory that you can enter.')
  }
  throw notARepository(directory, 'is not a directory', 'Name a directory inside a repository.')
}

/** True when `path` is `directory` or below it. Both canonical. */
function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

function safeBasename(root: string): string {
  return (
    basename(root)
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .replace(/^[.-]+/, '')
      .slice(0, 60) || 'repository'
  )
}

function notARepository(path: string, what: string, remedy: string): BulkheadError {
  return new BulkheadError('usage_not_a_repository', `${visibleLine(path)} ${what}`, { remedy, where: path })
}

/** Reads a small file of the user's git directory; undefined when it does not exist. */
export function readGitFile(gitDirectory: string, name: string): string | undefined {
  try {
    return readFileSync(join(gitDirectory, name), 'utf8')
  } catch {
    return undefined
  }
}
