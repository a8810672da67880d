import { BulkheadError } from '../../core/contracts/index.ts'
import type { WorkspaceView } from '../../core/contracts/index.ts'
import { closedDescriptor } from './descriptors.ts'
import type { Denied } from './deny-find.ts'
import type { Opening } from './open.ts'
import { closeExisting, openExisting } from './open.ts'
import { canonical } from './prepare.ts'
import { right } from './rights.ts'
import { allows, parseList } from './sddl.ts'

export interface OpenWorkspace {
  readonly path: string
  readonly gitDirectory: string | null
  readonly git: Denied | null
  readonly policyFile: Denied
}

/**
 * Sees to it that the workspace is open to the agent and what is protected in it is closed. A workspace of Bulkhead’s was prepared when it
 * was made; another directory is opened now. Throws `workspace_failed`, `config_invalid`, `host_unsupported`, `native_failed`.
 */
export async function openWorkspace(opening: Opening, workspace: WorkspaceView): Promise<OpenWorkspace> {
  const { disk, options } = opening
  const path = canonical(workspace.path, disk.security)
  const gitDirectory = workspace.gitDirectory === null ? null : canonical(workspace.gitDirectory, disk.security)
  const git: Denied = { path: `${path}\\.git`, directory: true }
  if (gitDirectory !== null) {
    for (const one of [path, gitDirectory]) requireOpen(opening, one)
    requireClosed(opening, git.path)
    return { path, gitDirectory, git, policyFile: await protect(opening, `${path}\\bulkhead.yaml`) }
  }
  refuseGitDirectory(opening, path)
  if ((await openExisting(opening, path, 'write')) === undefined) throw broken(path, 'is not there')
  const closed = options.hostGit === 'read-only' ? await protect(opening, git.path) : null
  return { path, gitDirectory, git: closed, policyFile: await protect(opening, `${path}\\bulkhead.yaml`) }
}

/**
 * Closes a name right in the workspace to changes, also while there is nothing of that name. Nobody can move it away: for that it takes the
 * right to delete it, or to delete anything in the directory.
 */
async function protect(opening: Opening, path: string): Promise<Denied> {
  const { disk, effects, who } = opening
  const found = disk.security.read(path, 'access')
  if (found === undefined) {
    await effects.makePlaceholder(path, closedDescriptor(who, { readable: true }))
    return { path, directory: true }
  }
  if (found.link) throw invalid(path, 'is a link, so that it cannot be protected from the agent', 'Work in another directory.')
  const protectedOne = { path, directory: found.directory }
  await closeExisting(opening, protectedOne, 'change')
  return protectedOne
}

function requireOpen({ disk, who }: Opening, path: string): void {
  const list = parseList(disk.security.read(path, 'access')?.sddl ?? '')
  if (list === undefined || !list.flags.includes('P') || !allows(list, who.workspace, right.modifyInside)) {
    throw broken(path, 'was not made for this environment')
  }
}

function requireClosed({ disk, who }: Opening, path: string): void {
  const found = disk.security.read(path, 'access')
  const list = parseList(found?.sddl ?? '')
  if (
    found?.directory !== true ||
    found.link ||
    list === undefined ||
    !list.flags.includes('P') ||
    allows(list, who.workspace, right.list)
  ) {
    throw broken(path, 'is not the closed directory that it was made as')
  }
}

/** A bare repository or a `.git`: its hooks and configuration would be the agent's to write, and the user's git runs them. */
function refuseGitDirectory({ disk }: Opening, path: string): void {
  const names = new Set((disk.entries(path) ?? []).map(({ name }) => name.toLowerCase()))
  if (!['head', 'objects', 'refs'].every((name) => names.has(name))) return
  throw invalid(
    path,
    'is a git directory itself, whose hooks and configuration git runs',
    'Choose a checkout, or a directory that is no repository.',
  )
}

function broken(path: string, fault: string): BulkheadError {
  return new BulkheadError('workspace_failed', `${path} ${fault}`, {
    where: path,
    operation: 'apply',
    remedy: 'Remove the job and submit it again: its workspace is made anew then.',
  })
}

function invalid(path: string, fault: string, remedy: string): BulkheadError {
  return new BulkheadError('config_invalid', `"${path}" ${fault}`, { where: path, remedy })
}
