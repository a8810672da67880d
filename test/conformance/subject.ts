import type { Host, LayerPlugin, Policy, Sandbox, WorkspaceView } from '../../core/contracts/index.ts'
import type { LaunchSpec } from '../../core/contracts/index.ts'

/** One policy and one set of options that a plugin is tried with. */
export interface Case {
  readonly name: string
  readonly policy: Policy
  readonly options: unknown
}

/** A plugin to be tried, and the world to try it in. Nothing here knows a test framework. */
export interface Subject {
  readonly plugin: LayerPlugin
  readonly cases: readonly Case[]
  readonly host: Host
  readonly workspace: WorkspaceView
  /** A directory that workspaces can be made in; what is made there is deleted again. Part of what `effects` looks at. */
  readonly making: string
  /** What the layers that it is tried with published, by capability. */
  readonly provided?: Readonly<Record<string, string>>
  /** Everything outside the process that the plugin could change, in a form that can be compared. */
  effects(): Promise<unknown>
}

/** Builds the sandbox that a specification describes; held, so that it can be attacked and then started. */
export type Launch = (spec: LaunchSpec) => Promise<Sandbox>

/** One thing that was checked. No fault: it passed. */
export interface Finding {
  readonly check: string
  readonly faults: readonly string[]
}

/** Runs a check; what it throws is a fault of the plugin. */
export async function check(name: string, work: () => Promise<readonly string[]> | readonly string[]): Promise<Finding> {
  try {
    return { check: name, faults: await work() }
  } catch (error) {
    return { check: name, faults: [`threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`] }
  }
}

/** A fault when `good` is not true. */
export function expectThat(good: boolean, fault: string): readonly string[] {
  return good ? [] : [fault]
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
