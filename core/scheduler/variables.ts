import type { JobSpec } from '../contracts/job.ts'

/** What scripts and agents can rely on in their environment. `workspace` is that of the job, or of the candidate when a gate runs. */
export function jobVariables(spec: JobSpec, root: string, workspace: string): Readonly<Record<string, string>> {
  return {
    BULKHEAD_ROOT_PATH: root,
    BULKHEAD_WORKSPACE_PATH: workspace,
    BULKHEAD_WORKSPACE_NAME: spec.name,
    BULKHEAD_PORT: String(spec.port),
    BULKHEAD_JOB: spec.id,
  }
}
