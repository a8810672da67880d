import type { FeatureAnswer, HostFeature, Launcher } from '../core/contracts/index.ts'

/** What the native module offers on every system; `linux/` and `windows/` implement it. */
export interface Platform {
  /** Starts nothing yet. */
  createLauncher(): NativeLauncher
  /** Program and arguments. */
  readonly harmlessCommand: readonly string[]
  /** Start time of a process in the system's own unit: undefined when there is no such process. */
  startTime(pid: number): string | undefined
  /** `WorkspacesOptions.deleteTree`. */
  readonly deleteTree: ((directory: string) => void) | null
  /** What this process can tell by itself; undefined: it takes a throwaway process to find out. */
  answer(feature: HostFeature): FeatureAnswer | undefined
}

/** The launcher and the probes of the native module. */
export interface NativeLauncher extends Launcher {
  probe(feature: HostFeature): Promise<FeatureAnswer>
}
