import type { EnvironmentSpec } from './job.ts'
import type { Layer, Receipt, SetupChange, SetupOptions } from './layer.ts'

/** What a change would do for one layer. */
export interface SetupPart {
  readonly layer: Layer
  readonly plugin: string
  readonly steps: readonly string[]
}

/** Sets a machine up for an environment, and undoes it. Implemented by `core/enforcement`. */
export interface MachineSetup {
  /** Reads only; one part for each layer that has something to set up. Throws `plugin_unknown`, `plugin_failed`. */
  describe(change: SetupChange, environment: EnvironmentSpec, options: SetupOptions): Promise<readonly SetupPart[]>
  /**
   * Carries `change` out and returns what was done, one line each; `report` gets the same lines while it happens. Does nothing when nothing
   * is left to do. Throws `setup_not_elevated` before anything was touched when this process has no rights for it, `setup_busy` when
   * another process is setting up, and what the layers' hooks throw; what was done until then stays recorded.
   */
  carryOut(change: SetupChange, environment: EnvironmentSpec, request: SetupRequest): Promise<readonly string[]>
}

export interface SetupRequest {
  readonly options: SetupOptions
  readonly signal: AbortSignal
  report(line: string): void
}

/** Receipts of setting up, kept for as long as a machine is set up. One ledger for each user. */
export interface SetupLedger {
  receipts(plugin: string): readonly Receipt[]
  /** On the disk when it returns. */
  record(receipt: Receipt): void
  /** Forgets the receipts of a plugin once all of it was undone. */
  settle(plugin: string): void
  /** Undefined: another process, which is alive, holds it. */
  lock(): Disposable | undefined
}
