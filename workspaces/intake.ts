import type { CommitMessage, Snapshot, Workspace } from '../core/contracts/workspace.ts'
import { BulkheadError } from '../core/contracts/error.ts'
import type { Git } from './git.ts'
import { workspaceAt, type Layout } from './layout.ts'
import { authorOf, identityConfig, messageText } from './message.ts'
import { readWorkspace, type Reading } from './quarantine.ts'
import { total, treeLines } from './raw-diff.ts'
import type { Repository } from './repository.ts'
import type { IntakeLimits } from './rules.ts'
import { readRecord } from './worktree.ts'

export const jobRef = (name: string): string => `refs/bulkhead/jobs/${name}`

/**
 * Takes a workspace's content into the user's repository as one commit on its base. Order: read into quarantine, check every change, commit
 * there, then send one pack through `index-pack --strict`, which hashes every object again and runs fsck on it, and only then write the ref.
 */
export async function takeIn(
  git: Git,
  repository: Repository,
  layout: Layout,
  options: { workspace: Workspace; message: CommitMessage; ref: string; limits?: IntakeLimits },
): Promise<Snapshot | null> {
  const { workspace, message, ref } = options
  const reading = await readStable(git, repository, layout, workspace, options.limits)
  if (reading.changes.length === 0) return null
  const { tree } = reading
  const commit = await commitTree(git, reading, { workspace, message })
  await sendObjects(git, reading, repository, { commit, base: workspace.base })
  await git.run(repository.place, ['update-ref', '-m', 'bulkhead: intake', '--no-deref', ref, commit], { retryLocks: true })
  return { commit, tree, counts: total(await treeLines(git, reading.place, workspace.base, commit, { renames: true })) }
}

/** Reads again when a file changed while it was read (git refuses to store what it did not hash). Three times, then `workspace_failed`. */
export async function readStable(
  git: Git,
  repository: Repository,
  layout: Layout,
  workspace: Workspace,
  limits?: IntakeLimits,
): Promise<Reading> {
  const paths = workspaceAt(layout, workspace.name)
  const record = readRecord(paths)
  if (record === undefined || record.base !== workspace.base) {
    throw new BulkheadError('workspace_failed', `there is no workspace '${workspace.name}' on ${workspace.base}`, {
      where: paths.directory,
    })
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await readWorkspace(git, repository, paths, {
        base: record.base,
        included: record.included,
        ...(limits === undefined ? {} : { limits }),
      })
    } catch (error) {
      if (BulkheadError.from(error).code !== 'git_failed') throw error
      if (attempt === 3) {
        throw new BulkheadError(
          'workspace_failed',
          `the files of '${workspace.name}' cannot be read: ${BulkheadError.from(error).message}`,
          {
            cause: error,
            where: paths.tree,
            remedy: 'Make sure that nothing changes them any more and that they are readable, then try again.',
          },
        )
      }
    }
  }
}

/** True when the content is not that of the base, or is nothing that could be taken in. Nothing reaches the user's repository. */
export async function differs(git: Git, repository: Repository, layout: Layout, workspace: Workspace): Promise<boolean> {
  try {
    return (await readStable(git, repository, layout, workspace)).changes.length > 0
  } catch (error) {
    const { code } = BulkheadError.from(error)
    if (code === 'intake_refused' || code === 'workspace_failed') return true
    throw error
  }
}

async function commitTree(git: Git, reading: Reading, options: { workspace: Workspace; message: CommitMessage }): Promise<string> {
  const { workspace, message } = options
  const place = { ...reading.place, config: identityConfig(authorOf(message, workspace.name)) }
  const input = messageText(message, `Work of ${workspace.name}`)
  const { stdout } = await git.run(place, ['commit-tree', reading.tree, '-p', workspace.base], { input })
  return stdout.toString('latin1').trim()
}

async function sendObjects(git: Git, reading: Reading, repository: Repository, range: { commit: string; base: string }): Promise<void> {
  const pack = ['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '--no-reuse-object', '--threads=1', '-q']
  try {
    await git.pipe(
      { place: reading.place, args: pack, input: `${range.commit}\n^${range.base}\n` },
      { place: repository.place, args: ['index-pack', '--strict', '--fix-thin', '--stdin'] },
    )
  } catch (error) {
    const failure = BulkheadError.from(error)
    if (failure.code !== 'git_failed' || failure.details.operation !== 'git index-pack') throw error
    throw new BulkheadError('intake_refused', `git’s own check refused the content: ${failure.message}`, {
      cause: error,
      remedy: 'Look at the workspace, or reject the job.',
    })
  }
}
