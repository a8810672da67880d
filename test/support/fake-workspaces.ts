import { createHash } from 'node:crypto'
import type { ChangeCounts, CommitMessage, Review, Snapshot, Workspace, WorkspaceRequest, Workspaces } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'

const hash = (text: string): string => createHash('sha1').update(text).digest('hex')
const counts: ChangeCounts = { files: 1, insertions: 1, deletions: 0 }

/** Workspaces in memory: the content of each is one string. */
export class FakeWorkspaces implements Workspaces {
  readonly repository: Workspaces['repository']
  readonly content = new Map<string, string>()
  readonly made: WorkspaceRequest[] = []
  readonly messages: CommitMessage[] = []
  readonly removed: { name: string; commit: string | null; merged: boolean; scratch?: boolean }[] = []
  readonly watchers = new Map<string, (counts: ChangeCounts) => void>()
  readonly watchesClosed: string[] = []
  /** Names whose intake is refused. */
  readonly refused = new Set<string>()
  /** Names that cannot be made the first time. */
  readonly unmakeable = new Set<string>()

  constructor(state: string) {
    this.repository = { root: '/repository', gitDirectory: '/repository/.git', state, head: 'refs/heads/main' }
  }

  async resolve(revision: string): Promise<string> {
    return hash(revision)
  }

  async create(request: WorkspaceRequest): Promise<Workspace> {
    if (this.unmakeable.delete(request.name)) throw new BulkheadError('workspace_failed', 'no workspace')
    if (this.content.has(request.name)) throw new BulkheadError('workspace_failed', 'it exists')
    const making = { path: `/making/${request.name}/tree`, gitDirectory: `/making/${request.name}/git` }
    const { path } = this.#workspace(request.name)
    await request.prepare?.({ directory: `/making/${request.name}`, path, gitDirectory: `/workspaces/${request.name}/git`, making })
    this.made.push(request)
    this.content.set(request.name, '')
    return this.#workspace(request.name)
  }

  async open(name: string): Promise<Workspace | undefined> {
    return this.content.has(name) ? this.#workspace(name) : undefined
  }

  async list(): Promise<readonly string[]> {
    return [...this.content.keys()]
  }

  async watch(workspace: Workspace, listener: (counts: ChangeCounts) => void): Promise<AsyncDisposable> {
    this.watchers.set(workspace.name, listener)
    return {
      [Symbol.asyncDispose]: async () => {
        this.watchers.delete(workspace.name)
        this.watchesClosed.push(workspace.name)
      },
    }
  }

  /** Workspaces whose content something has changed. */
  readonly changed = new Set<string>()

  async differs(workspace: Workspace): Promise<boolean> {
    return this.changed.has(workspace.name)
  }

  async intake(workspace: Workspace, message: CommitMessage): Promise<Snapshot | null> {
    if (this.refused.has(workspace.name)) throw new BulkheadError('intake_refused', 'a link points outside', { where: 'evil' })
    this.messages.push(message)
    const text = this.content.get(workspace.name) ?? ''
    return text === '' ? null : { commit: hash(`commit ${text}`), tree: hash(`tree ${text}`), counts }
  }

  async review(): Promise<Review> {
    throw new Error('not part of this fake')
  }

  async diff(): Promise<string> {
    throw new Error('not part of this fake')
  }

  async remove(
    name: string,
    keep: { readonly commit: string | null; readonly merged: boolean; readonly scratch?: boolean },
  ): Promise<string | null> {
    this.removed.push({ name, ...keep })
    this.content.delete(name)
    return keep.commit !== null && !keep.merged ? `refs/bulkhead/backup/${name}` : null
  }

  async recover(): Promise<readonly string[]> {
    return []
  }

  #workspace(name: string): Workspace {
    return {
      name,
      base: 'a'.repeat(40),
      path: `/workspaces/${name}/tree`,
      gitDirectory: null,
      objectStores: [],
      owner: { uid: 0, gid: 0 },
    }
  }
}
