import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BulkheadError } from '../core/contracts/error.ts'
import { copyIndex } from './copy-index.ts'
import { canonicalPath, fromGit, hasUnixFiles, move, toGit } from './filesystem.ts'
import type { Git } from './git.ts'
import { readGitFile, type Repository } from './repository.ts'

/** Beginning of `locked`, which keeps `git worktree prune` away, marks the directory as ours and says which creation made it. */
const lockReason = 'bulkhead workspace'

export interface AdminRequest {
  /** Wanted directory name below `worktrees/`; a number is added when the user has one of that name. */
  readonly name: string
  readonly base: string
  /** Where the work tree will be. */
  readonly tree: string
  /** Index of the checked out tree, to be copied. */
  readonly index: string
  /** Directory of this creation; its name marks the admin directory, so that a crash at any point can be undone. */
  readonly making: string
}

/**
 * Registers a locked, detached linked worktree, as `git worktree add --no-checkout --detach --lock` does, and returns its directory name.
 *
 * Not by that command where it can be helped: it makes the directory in steps that others see, and then every `git worktree add`, `gc`,
 * `fetch` or `log --all` at the same moment fails (“bad object worktrees/x/HEAD”, “failed to read commondir: Success”; git 2.39). Here the
 * directory is made aside and renamed into place. Layout: gitrepository-layout(5), `worktrees/`.
 */
export async function registerWorktree(git: Git, repository: Repository, request: AdminRequest): Promise<string> {
  if (!repository.refFiles) return addByGit(git, repository, request)
  const temporary = temporaryOf(repository, request.making)
  const admins = join(repository.gitDirectory, 'worktrees')
  mkdirSync(temporary)
  try {
    writeFileSync(join(temporary, 'HEAD'), `${request.base}\n`)
    writeFileSync(join(temporary, 'commondir'), '../..\n')
    writeFileSync(join(temporary, 'gitdir'), `${toGit(join(request.tree, '.git'))}\n`)
    writeFileSync(join(temporary, 'locked'), `${reasonOf(request.making)}\n`)
    copyIndex(request.index, join(temporary, 'index'))
    mkdirSync(admins, { recursive: true })
    for (let count = 0; count < 10_000; count++) {
      const admin = count === 0 ? request.name : `${request.name}-${count}`
      // Renaming onto a directory that has files fails (rename(2), ENOTEMPTY), so nobody's is ever replaced.
      if (renamed(temporary, join(admins, admin))) return admin
    }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
  rmSync(temporary, { recursive: true, force: true })
  throw new BulkheadError('workspace_failed', `the repository has too many worktrees named '${request.name}'`)
}

/** For repositories whose refs are not files (`reftable`): only git can write a worktree's HEAD there. */
async function addByGit(git: Git, repository: Repository, request: AdminRequest): Promise<string> {
  // git names the admin directory after the last component of the path.
  const added = join(request.making, request.name)
  const args = [
    'worktree',
    'add',
    '--quiet',
    '--no-checkout',
    '--detach',
    '--lock',
    '--reason',
    reasonOf(request.making),
    added,
    request.base,
  ]
  await git.run(repository.place, args, { retryLocks: true })
  const pointer = fromGit(
    readFileSync(join(added, '.git'), 'utf8')
      .replace(/^gitdir: /, '')
      .trimEnd(),
  )
  if (canonicalPath(dirname(pointer)) !== join(repository.gitDirectory, 'worktrees')) {
    throw new BulkheadError('workspace_failed', `git put the worktree of '${request.name}' somewhere unexpected`)
  }
  rmSync(added, { recursive: true })
  writeFileSync(join(pointer, 'gitdir'), `${toGit(join(request.tree, '.git'))}\n`)
  copyIndex(request.index, join(pointer, 'index'))
  return basename(pointer)
}

/** The `.git` path that an admin directory names; undefined when there is none. */
export function pointerOf(repository: Repository, admin: string): string | undefined {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(admin)) return undefined
  const pointer = readGitFile(join(repository.gitDirectory, 'worktrees', admin), 'gitdir')
  return pointer === undefined ? undefined : fromGit(pointer.replace(/\n$/, ''))
}

/**
 * Deletes an admin directory, but only one that our lock marks and that names `tree`. `git worktree remove` cannot be used, because it
 * wants the `.git` file that a workspace does not have, and `prune` would also prune what is the user's.
 */
export function removeAdmin(repository: Repository, admin: string, tree: string): void {
  if (pointerOf(repository, admin) !== join(tree, '.git')) return
  const directory = join(repository.gitDirectory, 'worktrees', admin)
  if (readGitFile(directory, 'locked')?.startsWith(lockReason) !== true) return
  rmSync(directory, { recursive: true, force: true })
}

/** Deletes whatever the creation in `making` registered. */
export function removeAdminsOf(repository: Repository, making: string): void {
  rmSync(temporaryOf(repository, making), { recursive: true, force: true })
  const admins = join(repository.gitDirectory, 'worktrees')
  for (const admin of existsSync(admins) ? readdirSync(admins) : []) {
    if (readGitFile(join(admins, admin), 'locked')?.trimEnd() === reasonOf(making))
      rmSync(join(admins, admin), { recursive: true, force: true })
  }
}

function temporaryOf(repository: Repository, making: string): string {
  return join(repository.gitDirectory, `bulkhead-${basename(making)}`)
}

function reasonOf(making: string): string {
  return `${lockReason} ${basename(making)}`
}

function renamed(from: string, to: string): boolean {
  // Windows says only that it was denied, also when something else is in the way.
  if (!hasUnixFiles && existsSync(to)) return false
  try {
    move(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return false
    throw error
  }
}
