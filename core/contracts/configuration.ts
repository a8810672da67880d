import type { EnvironmentSpec, GateSpec, RetrySpec } from './job.ts'
import type { Layer } from './layer.ts'
import type { Policy } from './policy.ts'

/** The environments that exist without configuration. Whoever puts Bulkhead together chooses them: core names no plugin. */
export interface BuiltInEnvironments {
  /** The one that is used where nobody chooses. A written environment has its plugins for the layers that it leaves out. */
  readonly usual: string
  /** Plugin ids by name of the environment. Every option has its default. */
  readonly plugins: Readonly<Record<string, Readonly<Record<Layer, string>>>>
}

/** The merged, validated configuration of one invocation. */
export interface Configuration {
  /** Files it came from, strongest first; empty when only defaults apply. */
  readonly sources: readonly string[]
  readonly environments: Readonly<Record<string, EnvironmentSpec>>
  /** Name of the environment used when nothing else is said. */
  readonly environment: string
  readonly agents: Readonly<Record<string, AgentConfiguration>>
  /** Name of the default agent; null when none is configured. */
  readonly agent: string | null
  readonly policy: Policy
  readonly concurrency: number
  readonly retry: RetrySpec
  readonly gates: readonly GateSpec[]
  readonly setup: readonly string[] | null
  /** `refs/heads/...`; null: the branch that is checked out. */
  readonly target: string | null
  readonly jobs: readonly JobConfiguration[]
}

export interface AgentConfiguration {
  readonly adapter: string
  readonly options: unknown
}

/** A job as written in a file or given on the command line; what is null comes from the configuration. */
export interface JobConfiguration {
  readonly name: string | null
  readonly prompt: string
  readonly agent: string | null
  readonly environment: string | null
  /** Names of other jobs of the same file or of jobs that exist already. */
  readonly needs: readonly string[]
  readonly priority: number
  readonly retry: RetrySpec | null
  /** Already narrowed against the user's policy. */
  readonly policy: Policy | null
  readonly gates: readonly GateSpec[] | null
  readonly target: string | null
  readonly base: string | null
  readonly setup: readonly string[] | null
}
