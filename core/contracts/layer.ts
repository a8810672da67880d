import type { ZodType } from 'zod'
import type { Denial } from './denial.ts'
import type { LaunchSpec } from './launch.ts'
import type { Policy } from './policy.ts'
import type { Attempt, Outcome, Question, Sandbox } from './sandbox.ts'

/** In the order in which core applies them; they are disposed in reverse. */
export const layers = ['filesystem', 'token', 'network', 'interception'] as const
export type Layer = (typeof layers)[number]

/**
 * How strong a layer is where it runs. `full` all that the layer is for; `partial` says in its plan what it does not hold; `none`
 * enforces nothing and must be asked for by name.
 */
export type Tier = 'full' | 'partial' | 'none'

/**
 * One enforcement mechanism. Plugins only describe: what they return is carried out by the native module.
 *
 * `probe` and `plan` have no side effects. `apply` records a receipt *before* each side effect, so that `recover` can undo it after a
 * crash at any instruction. Nothing in core knows a plugin by name.
 */
export interface LayerPlugin<O = unknown> {
  /** Folder name = configuration value = log field. */
  readonly id: string
  readonly layer: Layer
  readonly contract: 1
  readonly options: ZodType<O>
  /**
   * Capability names this layer offers to others, and those without which it can do nothing at all. Core matches them without knowing them.
   * A layer that only holds less without a capability does not require it: its plan looks at `PlanContext.capabilities` and says so.
   */
  readonly provides: readonly string[]
  readonly requires: readonly string[]
  probe(host: Host): Promise<Availability>
  plan(policy: Policy, options: O, context: PlanContext): LayerPlan
  /**
   * Optional: called when a job's workspace directory was just made and is still empty, so that everything made in it inherits what this
   * layer sets on it. It may make the two directories of `making`, and leaves nothing outside `directory`: it is undone by deleting that.
   * There is no receipt, because whoever makes workspaces deletes a half-made one anyway.
   */
  prepare?(directory: EmptyWorkspace, options: O, host: Host): Promise<void>
  apply(plan: LayerPlan, context: ApplyContext): Promise<AppliedLayer>
  recover(receipt: Receipt): Promise<void>
  /** Optional: what has to be done once on a machine before this layer can work there. */
  readonly setup?: LayerSetup
}

/** Facts about the machine, gathered once. */
export interface Host {
  readonly platform: NodeJS.Platform
  /** `process.getuid()`; null on Windows. */
  readonly uid: number | null
  readonly gid: number | null
  readonly home: string
  /** Asks the native module whether the kernel really does something, by doing it in a throwaway process. */
  can(feature: HostFeature): Promise<FeatureAnswer>
}

/** Names the native module's probes answer. */
export type HostFeature =
  | 'user-namespace'
  | 'mount-namespace'
  | 'network-namespace'
  | 'any-address'
  | 'landlock'
  | 'seccomp-notify'
  | 'idmapped-mount'
  | 'restricted-token'
  | 'job-object'
  | 'file-security'
  | 'filtering-platform'
  | 'agent-accounts'
  | 'hook-injection'
  | 'elevation'

export interface FeatureAnswer {
  readonly ok: boolean
  /** Version or level where there is one (Landlock ABI). */
  readonly level: number
  /** Why not: step and errno. Empty when ok. */
  readonly reason: string
}

export type Availability =
  | { readonly usable: true; readonly tier: Tier; readonly detail: string }
  | {
      readonly usable: false
      readonly reason: string
      readonly remedy: string
      /**
       * true: where the configuration degrades this layer it is planned and applied all the same, with tier `none`, for what it does besides
       * enforcing. Without that an unusable layer is refused whatever the configuration says.
       */
      readonly degradable?: boolean
    }

export interface PlanContext {
  readonly host: Host
  readonly job: string
  readonly workspace: WorkspaceView
  /** What this plugin's own probe said. Unusable only where it said `degradable` and the configuration degrades the layer. */
  readonly availability: Availability
  /** Capability names that the other layers of this environment provide. */
  readonly capabilities: readonly string[]
}

/** A workspace that is being made aside; it will be moved to its place when it is complete. Absolute host paths. */
export interface EmptyWorkspace {
  /** The directory as it is now: exists and is empty. Holds the tree, the agent's git directory and what Bulkhead keeps beside them. */
  readonly directory: string
  /** `WorkspaceView.path` and `WorkspaceView.gitDirectory` of the finished workspace. */
  readonly path: string
  readonly gitDirectory: string
  /** Where the two are made inside `directory`, before the move. */
  readonly making: { readonly path: string; readonly gitDirectory: string }
}

/** What a layer needs to know of the workspace. Absolute host paths. */
export interface WorkspaceView {
  readonly path: string
  /** The agent's own git directory, shown as `<path>/.git`; null where the workspace is an ordinary directory (`bulkhead exec`). */
  readonly gitDirectory: string | null
  /** Object stores the agent's git reads through alternates; shown read-only. */
  readonly objectStores: readonly string[]
  /** Owner of the workspace on disk. */
  readonly owner: { readonly uid: number; readonly gid: number }
}

/** Plain data, stored in the journal and shown by `--dry-run`, `doctor` and the docs. */
export interface LayerPlan {
  readonly plugin: string
  readonly layer: Layer
  readonly tier: Tier
  /** Claims, one sentence each; `verify` returns evidence for every one of them. */
  readonly enforces: readonly Claim[]
  /** Parts of the policy this layer cannot hold. Not empty: the job is refused unless the configuration degrades this layer. */
  readonly unsupported: readonly string[]
  /** What `apply` and the launch will do, for people. */
  readonly steps: readonly string[]
  /** What `apply` needs of policy and options; plain JSON. */
  readonly data: unknown
}

export interface Claim {
  /** Stable, kebab-case, unique within the plugin. */
  readonly id: string
  readonly text: string
}

export interface ApplyContext {
  readonly host: Host
  readonly job: string
  readonly workspace: WorkspaceView
  readonly signal: AbortSignal
  /** Values that layers applied before this one published, by capability name. */
  readonly provided: Readonly<Record<string, string>>
  /** Stores a receipt durably; to be awaited before the side effect it describes. */
  record(receipt: Receipt): Promise<void>
  /** Reports a refused or remarkable act of the agent. Never throws. */
  report(denial: Denial): void
  /**
   * Asks a person whether an act may happen. Aborting `signal` withdraws the question; the answer is then no. Never rejects. Absent: there is
   * nobody to ask, and the answer is no.
   */
  readonly ask?: (question: Question, signal: AbortSignal) => Promise<boolean>
}

/** How to undo one side effect. Plain JSON, no secrets. */
export interface Receipt {
  readonly plugin: string
  readonly data: unknown
}

export interface AppliedLayer extends AsyncDisposable {
  /** Values that go with capabilities of `LayerPlugin.provides`, for the layers that are applied after this one (an account's SID). */
  readonly provided?: Readonly<Record<string, string>>
  /** Pure: returns the spec with this layer's part (and environment) added. */
  contribute(spec: LaunchSpec): LaunchSpec
  /** Called once the sandbox exists and before anything runs in it, for layers that serve it from the host side. */
  attach?(sandbox: Sandbox): Promise<void>
  /** Attacks the wall from inside before the agent starts; one entry for every claim of the plan. */
  verify(probe: Probe): Promise<readonly Evidence[]>
}

export interface Probe {
  attempt(attempts: readonly Attempt[]): Promise<readonly Outcome[]>
}

export interface Evidence {
  readonly claim: string
  readonly held: boolean
  /** What was tried and what came back, one line. */
  readonly detail: string
}

/**
 * What has to be done once on a machine before a layer can work there, with rights that nobody has while agents run. Optional part of a
 * layer plugin; `bulkhead setup <environment>` calls it for every layer of that environment, in application order, and the undoing in
 * reverse.
 */
export interface LayerSetup {
  /** Reads only. One line for each thing that `change` would still do here; empty: nothing is left to do. */
  describe(change: SetupChange, context: SetupContext): Promise<readonly string[]>
  /**
   * Makes what is missing and leaves alone what is right, so that it also continues what an interrupted run began. Records a receipt
   * *before* each side effect. When it fails, whatever is in place stays, recorded, until the next `install` or `remove`.
   */
  install(context: SetupContext): Promise<void>
  /** Undoes everything that was recorded, and what it finds of its own besides. Idempotent; throws after everything was tried. */
  remove(context: SetupContext): Promise<void>
}

export type SetupChange = 'install' | 'remove'

/** What a person may ask for, whatever the layers of the environment are. */
export interface SetupOptions {
  /** How many agents at once are to find an identity of their own, where layers give them one. null: as many as there are, or the layer's default. */
  readonly accounts: number | null
}

export interface SetupContext {
  readonly host: Host
  readonly options: SetupOptions
  readonly signal: AbortSignal
  /** What earlier runs recorded and nobody has undone yet, oldest first. Not every earlier run need have been here: it may be empty. */
  readonly recorded: readonly Receipt[]
  /** Stores a receipt durably; to be awaited before the side effect it describes. */
  record(receipt: Receipt): Promise<void>
  /** One line for the person who watches: what was just done. Never throws. */
  report(line: string): void
}
