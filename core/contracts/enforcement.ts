import type { Denial } from './denial.ts'
import type { EnvironmentSpec } from './job.ts'
import type { ApplyContext, Availability, EmptyWorkspace, Evidence, Layer, LayerPlan, WorkspaceView } from './layer.ts'
import type { CommandPart } from './launch.ts'
import type { Policy } from './policy.ts'
import type { Sandbox, Stdio } from './sandbox.ts'

/** The pipeline over the four layers, implemented by `core/enforcement`. The only caller of layer plugins. */
export interface Enforcement {
  /** What each layer of an environment can do here. Never throws for an unusable layer: it says so. */
  examine(environment: EnvironmentSpec): Promise<readonly LayerReport[]>
  /** Pure but for probing. Throws `layer_unusable`, `layer_unsupported`, `plugin_unknown`. */
  plan(request: Omit<EnterRequest, 'command' | 'stdio' | 'signal' | 'onDenial' | 'onQuestion'>): Promise<EnforcementPlan>
  /**
   * Lets the layers set up a workspace that is being made, while it is empty, in the order in which they are applied. Throws
   * `plugin_unknown`, `layer_unusable`, `config_invalid`, `plugin_failed`; the directory is then to be deleted.
   */
  prepare(environment: EnvironmentSpec, directory: EmptyWorkspace): Promise<void>
  /**
   * Applies the four layers, builds the sandbox, attacks it, and returns it ready to start. Fails closed: on any error everything applied
   * is undone in reverse order and nothing has run.
   */
  enter(request: EnterRequest): Promise<Enforced>
  /**
   * Does what `enter` does up to the attacks, returns what came of each claim, also of those that do not hold, and undoes everything. The
   * command is never started. Throws what `enter` throws, but never `layer_unverified`.
   */
  attest(request: EnterRequest): Promise<readonly Attested[]>
  /** Settles the receipts of orchestrators that are gone. Returns one line per receipt settled. */
  recover(): Promise<readonly string[]>
}

export interface LayerReport {
  readonly layer: Layer
  readonly plugin: string
  readonly availability: Availability
}

/** What came of attacking one claim. */
export interface Attested extends Evidence {
  readonly layer: Layer
  readonly plugin: string
  /** The claim, one sentence. */
  readonly text: string
}

export interface EnterRequest {
  readonly job: string
  readonly environment: EnvironmentSpec
  readonly policy: Policy
  readonly workspace: WorkspaceView
  readonly command: CommandPart
  readonly stdio: Stdio
  readonly signal: AbortSignal
  readonly onDenial: (denial: Denial) => void
  /** `ApplyContext.ask`; absent: nobody can be asked. */
  readonly onQuestion?: ApplyContext['ask']
}

export interface EnforcementPlan {
  /** In application order. */
  readonly layers: readonly LayerPlan[]
  /** Layers that run with unsupported parts because the configuration accepts it. */
  readonly degraded: readonly Layer[]
}

export interface Enforced extends AsyncDisposable {
  readonly plan: EnforcementPlan
  readonly evidence: readonly Evidence[]
  readonly sandbox: Sandbox
}
