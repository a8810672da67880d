import type { ChangeCounts } from './event.ts'
import type { EmptyWorkspace, WorkspaceView } from './layer.ts'

/** The git side, implemented by `workspaces/`. Host-side git never discovers a repository and never runs what an agent wrote. */
export interface Workspaces {
  readonly repository: RepositoryFacts
  /** Resolves a branch, tag or hash to a full commit hash. Throws `usage_invalid`. */
  resolve(revision: string): Promise<string>
  /** Throws `workspace_failed`, `host_no_space`. Nothing is left behind on failure. */
  create(request: WorkspaceRequest): Promise<Workspace>
  /** The workspace of a job that has one, in which nothing runs at the moment: locks that a killed git left for the agent are removed. */
  open(name: string): Promise<Workspace | undefined>
  list(): Promise<readonly string[]>
  /** Live change counts, debounced; costs nothing while nothing changes. */
  watch(workspace: Workspace, listener: (counts: ChangeCounts) => void): Promise<AsyncDisposable>
  /**
   * Takes the workspace's content into quarantine, checks it, and only then brings it into the repository as
   * `refs/bulkhead/jobs/<name>`. Null when nothing changed. Throws `intake_refused` with the offending path.
   */
  intake(workspace: Workspace, message: CommitMessage): Promise<Snapshot | null>
  /** True when the content differs from the base, or cannot be taken in. Nothing enters the repository. Nothing may run in the workspace. */
  differs(workspace: Workspace): Promise<boolean>
  review(commit: string, base: string): Promise<Review>
  /** Unified diff for a person: control characters visible, no external drivers. */
  diff(commit: string, base: string, options: { readonly color: boolean; readonly stat: boolean }): Promise<string>
  /**
   * Keeps unmerged work under `refs/bulkhead/backup/<name>` and returns that ref, then deletes the workspace. `scratch`: only gates ran in
   * it, so what they left behind (build output, caches) is nobody's work and is not kept.
   */
  remove(
    name: string,
    keep: { readonly commit: string | null; readonly merged: boolean; readonly scratch?: boolean },
  ): Promise<string | null>
  /** Finishes or undoes what a dead process left (half-made worktrees, stale locks, moved checkouts). Idempotent. */
  recover(): Promise<readonly string[]>
}

export interface RepositoryFacts {
  /** Top directory of the main checkout; for a bare repository its git directory. */
  readonly root: string
  /** The shared git directory. */
  readonly gitDirectory: string
  /** Where Bulkhead keeps journal, workspaces, logs and quarantine of this repository; outside the repository. */
  readonly state: string
  /** `refs/heads/...` that HEAD of the main checkout names; null when detached. */
  readonly head: string | null
}

export interface WorkspaceRequest {
  readonly name: string
  readonly base: string
  /** Copies files matched by `.worktreeinclude` from the main checkout (only those git also ignores). */
  readonly include: boolean
  /**
   * Called once, when the directory of the new workspace exists and is empty. May make the two directories of `making` itself; nothing
   * else may be in it afterwards. When it throws the creation is undone, and what it threw is thrown.
   */
  readonly prepare?: (directory: EmptyWorkspace) => Promise<void>
}

export interface Workspace extends WorkspaceView {
  readonly name: string
  readonly base: string
}

export interface CommitMessage {
  readonly subject: string
  readonly body: string
  readonly trailers: Readonly<Record<string, string>>
}

export interface Snapshot {
  readonly commit: string
  readonly tree: string
  readonly counts: ChangeCounts
}

export interface Review {
  readonly commit: string
  readonly tree: string
  readonly base: string
  readonly counts: ChangeCounts
  readonly files: readonly ReviewedFile[]
  readonly flags: readonly RiskFlag[]
}

export interface ReviewedFile {
  readonly path: string
  readonly change: 'added' | 'modified' | 'deleted' | 'renamed' | 'mode'
  readonly insertions: number
  readonly deletions: number
  readonly binary: boolean
}

export interface RiskFlag {
  /** `executable-config`, `ci`, `lockfile`, `mode`, `symlink`, `agent-instructions`, `secret`, `binary`. */
  readonly kind: string
  readonly path: string
  readonly detail: string
}

/** Lands approved work. Implemented by `workspaces/`. */
export interface MergeQueue {
  /**
   * Builds the candidate of `commit` on the present target in memory, runs the gates on it through `check`, and moves the target by
   * compare-and-swap; begins again (at most 5 times) when the target moved. The commit that was checked is the commit that lands.
   * Throws `merge_conflict`, `merge_gate_failed`, `merge_target_moved`, `merge_checkout_dirty`.
   */
  land(request: LandRequest): Promise<Landed>
}

export interface LandRequest {
  readonly job: string
  readonly name: string
  /** The approved commit and the tree that was approved; `review_stale` when they do not belong together. */
  readonly commit: string
  readonly tree: string
  readonly base: string
  readonly target: string
  readonly message: CommitMessage
  /** Called with the candidate before it lands; throws `merge_gate_failed` to stop it. */
  check(candidate: { readonly commit: string; readonly tree: string; readonly onto: string }): Promise<void>
}

export interface Landed {
  readonly commit: string
  /** Target before. */
  readonly from: string
  /** The user's checkout of the target: there is none, was fast-forwarded, or is left behind for the user to update. */
  readonly checkout: 'none' | 'advanced' | 'behind'
  /** True when an earlier, interrupted run had landed it already. */
  readonly already: boolean
}
