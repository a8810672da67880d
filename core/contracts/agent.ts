import type { ZodType } from 'zod'
import type { EnforcementPlan } from './enforcement.ts'
import type { Denial } from './denial.ts'
import type { ExitReason } from './event.ts'
import type { EnvironmentSpec } from './job.ts'
import type { ApplyContext, EmptyWorkspace, Evidence, WorkspaceView } from './layer.ts'
import type { Policy } from './policy.ts'
import type { ProcessIdentity } from './sandbox.ts'

/** How one kind of agent is started. Adapters are plugins `agent-<name>`. */
export interface AgentAdapter<O = unknown> {
  readonly id: string
  readonly contract: 1
  readonly options: ZodType<O>
  /** Pure: the command for one attempt. Runs inside the sandbox; nothing here is trusted by the walls. */
  command(options: O, task: AgentTask): AgentCommand
}

export interface AgentTask {
  readonly job: string
  readonly name: string
  readonly prompt: string
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly workspace: string
  /** Private directory inside the sandbox for files the adapter wants (`AgentCommand.files`). */
  readonly scratch: string
}

export interface AgentCommand {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Written to the agent's stdin, then closed; null: closed at once. */
  readonly stdin: string | null
  /** Files under `scratch`, by relative name. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Runs one command behind the walls from start to the last process of its tree. Implemented by `core/agents`; the scheduler uses it for
 * agents, `setup` commands and gates alike.
 */
export interface AgentRuns {
  /**
   * Resolves when no process of the tree is left. Rejects with a BulkheadError when the command could not be started (nothing has run
   * then). A command that fails, is stopped or hits a limit is a result, not an error.
   */
  run(request: AgentRunRequest): Promise<AgentRunResult>
  /** `Enforcement.prepare`, for workspaces that these runs will work in: pass it on as `WorkspaceRequest.prepare`. */
  prepare(environment: EnvironmentSpec, directory: EmptyWorkspace): Promise<void>
}

export interface AgentRunRequest {
  readonly job: string
  readonly environment: EnvironmentSpec
  readonly policy: Policy
  readonly workspace: WorkspaceView
  readonly command: AgentCommand
  /** Added to the agent's environment (`BULKHEAD_*`); wins over `command.environment`. */
  readonly variables: Readonly<Record<string, string>>
  /** Host directory for `command.files`, made for this run, shown read-only at the same path, and removed afterwards. */
  readonly scratch: string
  /** Stdout and stderr are appended here as they come (raw bytes). */
  readonly logFile: string
  /** Aborting ends the whole tree; the reason of the result is then `cancelled` or, when `signal.reason` is `'shutdown'`, `shutdown`. */
  readonly signal: AbortSignal
  readonly observer: AgentObserver
}

/** All optional; called in this order. Must not throw. */
export interface AgentObserver {
  prepared?(plan: EnforcementPlan): void
  verified?(evidence: readonly Evidence[]): void
  started?(process: ProcessIdentity, control: RunControl): void
  denied?(denial: Denial): void
  /** `ApplyContext.ask`; absent: nobody can be asked. */
  readonly asked?: NonNullable<ApplyContext['ask']>
}

export interface RunControl {
  /** Tells the stall watchdog that the agent did something that is not output (a file changed). */
  touch(): void
}

export interface AgentRunResult {
  readonly code: number | null
  readonly signal: string | null
  readonly reason: ExitReason
  readonly outputBytes: number
  readonly durationMs: number
}
