import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Workspaces } from '../core/contracts/workspace.ts'
import { BulkheadError } from '../core/contracts/error.ts'
import { deleteTree } from './delete-tree.ts'
import { move } from './filesystem.ts'
import type { Git } from './git.ts'
import { readStable, takeIn, jobRef } from './intake.ts'
import { trashName, workspaceAt, type Layout } from './layout.ts'
import { candidateRef } from './merge-queue.ts'
import { checkHash, checkName } from './names.ts'
import type { Repository } from './repository.ts'
import { removeAdmin } from './worktree-admin.ts'
import { openWorktree, readRecord } from './worktree.ts'

/**
 * Deletes a workspace, but no work that is not merged. What the tree holds is compared with `keep.commit` (and the base): content that is
 * neither, and a commit that is not merged, stay reachable as `refs/bulkhead/backup/<name>`, whose name is returned. Content that intake
 * refuses is moved to `kept/` in the state directory and that path is returned. Follows no link.
 *
 * With `scratch` nothing in the workspace is work (gates ran there): the tree is deleted unseen.
 */
export async function removeWorkspace(
  git: Git,
  repository: Repository,
  layout: Layout,
  name: string,
  keep: Parameters<Workspaces['remove']>[1],
): Promise<string | null> {
  checkName(name)
  const paths = workspaceAt(layout, name)
  const record = readRecord(paths)
  const backup = async (commit: string): Promise<string> => backUp(git, repository, name, checkHash(commit))
  let kept: string | null = keep.commit !== null && !keep.merged ? await backup(keep.commit) : null
  if (record !== undefined && keep.scratch !== true) {
    const changed = await backUpTree(git, repository, layout, name, keep.commit)
    kept = changed === undefined ? await keepAside(layout, name) : (changed ?? kept)
  }
  // Moved first: on Windows that fails while a program has a file of it open, and then nothing must have been taken apart.
  const trash = existsSync(paths.directory) ? moveToTrash(layout, name) : undefined
  if (record !== undefined) removeAdmin(repository, record.admin, paths.tree)
  for (const ref of [jobRef(name), candidateRef(name)]) await git.run(repository.place, ['update-ref', '-d', ref], { retryLocks: true })
  try {
    if (trash !== undefined) deleteTree(trash, repository.deleteTree)
  } catch {
    // The workspace is gone; what resists is rubbish that `recover` tries again, and names when it still resists.
  }
  return kept
}

/** Throws `workspace_failed` when something in it is in use. */
function moveToTrash(layout: Layout, name: string): string {
  const trash = join(layout.trash, trashName(name))
  try {
    move(workspaceAt(layout, name).directory, trash)
    return trash
  } catch (error) {
    throw inUse(error, layout, name)
  }
}

function inUse(error: unknown, layout: Layout, name: string): BulkheadError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
  return new BulkheadError('workspace_failed', `the workspace '${name}' cannot be moved away (${code}), so nothing of it was deleted`, {
    where: workspaceAt(layout, name).directory,
    nativeCode: code,
    cause: error,
    remedy: 'Close the programs that have files of it open or work in it, then try again.',
  })
}

/** The backup ref of what the tree holds beyond `commit` and the base; null when there is nothing; undefined when intake refuses it. */
async function backUpTree(
  git: Git,
  repository: Repository,
  layout: Layout,
  name: string,
  commit: string | null,
): Promise<string | null | undefined> {
  try {
    const workspace = openWorktree(repository, layout, name)
    if (workspace === undefined) return null
    const reading = await readStable(git, repository, layout, workspace)
    if (reading.changes.length === 0) return null
    if (commit !== null && (await git.text(repository.place, ['rev-parse', '--verify', `${commit}^{tree}`])).trim() === reading.tree)
      return null
    const ref = `refs/bulkhead/removing/${name}`
    const message = { subject: `Backup of ${name}`, body: 'Taken when the workspace was removed.', trailers: {} }
    const snapshot = await takeIn(git, repository, layout, { workspace, message, ref })
    if (snapshot === null) return null
    const backup = await backUp(git, repository, name, snapshot.commit)
    await git.run(repository.place, ['update-ref', '-d', ref], { retryLocks: true })
    return backup
  } catch (error) {
    const { code } = BulkheadError.from(error)
    if (code === 'intake_refused' || code === 'workspace_failed') return undefined
    throw error
  }
}

/** Never moves an older backup of another job with the same name. */
async function backUp(git: Git, repository: Repository, name: string, commit: string): Promise<string> {
  for (const ref of [`refs/bulkhead/backup/${name}`, `refs/bulkhead/backup/${name}-${commit.slice(0, 12)}`]) {
    const present = await git.run(repository.place, ['rev-parse', '--verify', '--quiet', ref], { exits: [0, 1] })
    if (present.exitCode === 0 && present.stdout.toString('latin1').trim() !== commit) continue
    await git.run(repository.place, ['update-ref', '-m', 'bulkhead: backup', '--no-deref', ref, commit], { retryLocks: true })
    return ref
  }
  throw new BulkheadError('workspace_failed', `the work of '${name}' could not be backed up, so nothing was deleted`)
}

async function keepAside(layout: Layout, name: string): Promise<string> {
  const kept = join(layout.kept, `${name}-${randomBytes(6).toString('hex')}`)
  try {
    move(workspaceAt(layout, name).tree, kept)
    return kept
  } catch (error) {
    throw inUse(error, layout, name)
  }
}
