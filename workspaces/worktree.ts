import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workspace, WorkspaceRequest } from '../core/contracts/workspace.ts'
import { BulkheadError } from '../core/contracts/error.ts'
import { buildAgentGit } from './agent-git.ts'
import { deleteTree } from './delete-tree.ts'
import { move } from './filesystem.ts'
import type { Git } from './git.ts'
import { copyIncluded } from './include.ts'
import { workspaceAt, workspacePaths, type Layout, type WorkspacePaths } from './layout.ts'
import { checkHash, checkName } from './names.ts'
import { makePrivateRepository, privatePlace } from './private-repository.ts'
import { readGitFile, type Repository } from './repository.ts'
import { pointerOf, registerWorktree, removeAdminsOf } from './worktree-admin.ts'

/** What is kept of a finished workspace in `workspace.json`. */
export interface WorkspaceRecord {
  readonly version: 1
  readonly base: string
  /** Directory below `<git>/worktrees/`. */
  readonly admin: string
  /** Paths copied by `.worktreeinclude`: intake never takes them. */
  readonly included: readonly string[]
}

/**
 * Makes a workspace aside and moves it into place as the last step, so a half-made one is never seen under its name. Throws
 * `workspace_failed`, `host_no_space`; nothing is left behind.
 */
export async function createWorktree(git: Git, repository: Repository, layout: Layout, request: WorkspaceRequest): Promise<Workspace> {
  const name = checkName(request.name)
  const base = checkHash(request.base)
  const final = workspaceAt(layout, name)
  if (existsSync(final.directory)) throw taken(name)
  const { pid, startTime } = repository.processes.self
  const making = workspacePaths(join(layout.making, [name, pid, startTime, randomBytes(6).toString('hex')].join('+')))
  mkdirSync(making.directory, { mode: 0o700 })
  try {
    await request.prepare?.({ directory: making.directory, path: final.tree, gitDirectory: final.git, making: viewOf(making) })
    requireEmpty(making)
    mkdirSync(join(making.tree, '.git'), { recursive: true })
    makePrivateRepository(making.quarantine, repository)
    writeFileSync(join(making.quarantine, 'info/exclude'), readGitFile(repository.gitDirectory, 'info/exclude') ?? '')
    const index = join(making.quarantine, 'index')
    // Through the private repository: attributes of the tree find no filter there, not even one of the user's own configuration.
    const config = { 'checkout.workers': '4' }
    await git.run(privatePlace(making.quarantine, repository, { workTree: making.tree, index, config }), ['read-tree', '-m', '-u', base])
    const included = request.include && !repository.bare ? await copyIncluded(git, repository, making.tree) : []
    buildAgentGit(making.git, { repository, name, base, index })
    const admin = await registerWorktree(git, repository, { name, base, tree: final.tree, index, making: making.directory })
    writeFileSync(making.record, JSON.stringify({ version: 1, base, admin, included } satisfies WorkspaceRecord))
    try {
      move(making.directory, final.directory)
    } catch (error) {
      throw existsSync(final.directory) ? taken(name) : error
    }
  } catch (error) {
    undoWorktree(repository, making.directory)
    throw workspaceError(error, `workspace '${name}' could not be made`)
  }
  return workspaceOf(repository, final, name, base)
}

/** The workspace of that name, or undefined. Throws `workspace_failed` when its record does not belong to this repository. */
export function openWorktree(repository: Repository, layout: Layout, name: string): Workspace | undefined {
  const paths = workspaceAt(layout, name)
  const record = readRecord(paths)
  if (record === undefined) return undefined
  if (pointerOf(repository, record.admin) !== join(paths.tree, '.git')) {
    throw new BulkheadError('workspace_failed', `workspace '${name}' is no longer registered in the repository`, {
      where: paths.directory,
      remedy: `Look at what is in ${paths.tree}, then remove the job.`,
    })
  }
  return workspaceOf(repository, paths, name, record.base)
}

export function listWorktrees(layout: Layout): readonly string[] {
  return readdirSync(layout.workspaces)
    .filter((name) => existsSync(join(layout.workspaces, name, 'workspace.json')))
    .toSorted()
}

export function readRecord(paths: WorkspacePaths): WorkspaceRecord | undefined {
  try {
    return JSON.parse(readFileSync(paths.record, 'utf8')) as WorkspaceRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw workspaceError(error, 'a workspace record cannot be read')
  }
}

/** Undoes a creation at whatever point it stopped. `directory` is below `making/`. */
export function undoWorktree(repository: Repository, directory: string): void {
  removeAdminsOf(repository, directory)
  deleteTree(directory, repository.deleteTree)
}

function viewOf({ tree, git }: WorkspacePaths): { readonly path: string; readonly gitDirectory: string } {
  return { path: tree, gitDirectory: git }
}

/** What is prepared are empty directories: anything else would be taken for content, or would be followed. */
function requireEmpty(making: WorkspacePaths): void {
  const own = [making.directory, making.tree, join(making.tree, '.git'), making.git]
  const strange = own.filter((path) => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return false
    return !stats.isDirectory() || readdirSync(path).some((name) => !own.includes(join(path, name)))
  })
  if (strange.length === 0) return
  throw new BulkheadError('workspace_failed', `what was prepared is not empty: ${strange.join(', ')}`, { operation: 'prepare' })
}

function workspaceOf(repository: Repository, paths: WorkspacePaths, name: string, base: string): Workspace {
  const { uid, gid } = lstatSync(paths.directory)
  return { name, base, path: paths.tree, gitDirectory: paths.git, objectStores: repository.objectStores, owner: { uid, gid } }
}

function taken(name: string): BulkheadError {
  return new BulkheadError('workspace_failed', `there is already a workspace '${name}'`, {
    remedy: `Remove it first, or use another name.`,
  })
}

export function workspaceError(error: unknown, message: string): BulkheadError {
  if (BulkheadError.is(error) && error.code !== 'git_failed') return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BulkheadError('host_no_space', `${message}: no space left on the disk`, { nativeCode: code, cause: error })
  }
  const detail = error instanceof Error ? error.message : String(error)
  return new BulkheadError('workspace_failed', `${message}: ${detail}`, {
    cause: error,
    ...(code === undefined ? {} : { nativeCode: code }),
  })
}
