import { dirname } from 'node:path'
import PQueue from 'p-queue'
import type { MergeQueue, Workspaces } from '../core/contracts/workspace.ts'
import { makeDirectories } from '../core/contracts/directories.ts'
import { BulkheadError } from '../core/contracts/error.ts'
import { diffText } from './diff.ts'
import { Git } from './git.ts'
import { findGit } from './git-binary.ts'
import type { WorkspacesOptions } from './options.ts'
import { differs, jobRef, takeIn } from './intake.ts'
import { layoutOf } from './layout.ts'
import { GitMergeQueue } from './merge-queue.ts'
import { checkName, checkRevision } from './names.ts'
import { makePrivateRepository, privatePlace } from './private-repository.ts'
import { recoverState } from './recover.ts'
import { removeWorkspace } from './remove.ts'
import { findRepository, type Repository } from './repository.ts'
import { reviewCommit } from './review.ts'
import { removeStaleLocks } from './stale-locks.ts'
import { visibleLine } from './visible.ts'
import { watchWorkspace } from './watch.ts'
import { createWorktree, listWorktrees, openWorktree, workspaceError } from './worktree.ts'

/** Checkouts written at once by this process; more only makes the disk seek. */
const creations = 4

const gits = new WeakMap<Workspaces, { git: Git; repository: Repository }>()

/**
 * Opens the repository that a directory lies in, and its state directory (made when absent, mode 0700). Throws `usage_not_a_repository`,
 * `host_tool_missing`, `usage_invalid` for a bad state directory.
 */
export async function openWorkspaces(options: WorkspacesOptions): Promise<Workspaces> {
  const binary = await findGit(options.variables['PATH'])
  // Until there is a state directory, git works in its own: like the root directory it holds no attributes, and unlike it, on every system.
  const repository = await findRepository(new Git(binary.path, dirname(binary.path)), options)
  const layout = layoutOf(repository.state)
  try {
    for (const path of Object.values(layout)) if (path !== layout.bench) makeDirectories(path)
    makePrivateRepository(layout.bench, repository)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const known = workspaceError(error, `the state directory ${visibleLine(layout.state)} cannot be used`)
    if (known.code !== 'workspace_failed' || code === undefined) throw known
    // What is missing is a right of the user, not a step that should never fail.
    throw new BulkheadError('journal_failed', `the state directory ${visibleLine(layout.state)} cannot be used (${code})`, { cause: error })
  }
  const git = new Git(binary.path, layout.empty)
  const bench = privatePlace(layout.bench, repository)
  const queue = new PQueue({ concurrency: creations })

  const workspaces: Workspaces = {
    repository,
    async resolve(revision) {
      const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${checkRevision(revision)}^{commit}`]
      const { stdout, exitCode } = await git.run(repository.place, args, { exits: [0, 1, 128] })
      if (exitCode === 0) return stdout.toString('latin1').trim()
      throw new BulkheadError('usage_invalid', `'${visibleLine(revision, 120)}' names no commit`, {
        remedy: 'Name a branch, a tag or a commit.',
      })
    },
    create: (request) => queue.add(() => createWorktree(git, repository, layout, request)),
    open: async (name) => {
      const workspace = openWorktree(repository, layout, name)
      if (workspace !== undefined && workspace.gitDirectory !== null) removeStaleLocks(workspace.gitDirectory)
      return workspace
    },
    list: async () => listWorktrees(layout),
    watch: (workspace, listener) => watchWorkspace(git, repository, layout, workspace, listener),
    intake: (workspace, message) => takeIn(git, repository, layout, { workspace, message, ref: jobRef(checkName(workspace.name)) }),
    differs: (workspace) => differs(git, repository, layout, workspace),
    review: (commit, base) => reviewCommit(git, bench, commit, base),
    diff: (commit, base, options) => diffText(git, bench, { commit, base }, options),
    remove: (name, keep) => removeWorkspace(git, repository, layout, name, keep),
    recover: () => recoverState(git, repository, layout),
  }
  gits.set(workspaces, { git, repository })
  return workspaces
}

/** The merge queue of the repository that `workspaces` was opened on. */
export function createMergeQueue(workspaces: Workspaces): MergeQueue {
  const opened = gits.get(workspaces)
  if (opened === undefined) throw new BulkheadError('internal', 'createMergeQueue needs what openWorkspaces returned')
  return new GitMergeQueue(opened.git, opened.repository)
}
