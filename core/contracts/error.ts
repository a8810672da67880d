/**
 * Every way Bulkhead can fail, with the process exit code it maps to and what the code means.
 *
 * The list is closed: `docs/errors.md` is generated from it and a test keeps both equal. A *denied action of an agent is not
 * here*: it is an event (see `Denial` in `event.ts`).
 *
 * Exit codes: 1 a job failed, 2 configuration or usage, 3 the host lacks something, 4 refused by policy or enforcement,
 * 5 merge or review could not go on, 70 a defect in Bulkhead, 130 interrupted.
 */
export const errorCatalogue = {
  config_not_found: { exit: 2, summary: 'A configuration or jobs file that was named does not exist or cannot be read.' },
  config_syntax: { exit: 2, summary: 'A configuration file is not valid YAML 1.2.' },
  config_invalid: { exit: 2, summary: 'A configuration value breaks a rule: unknown key, wrong type, impossible combination.' },
  config_widens_policy: { exit: 2, summary: 'A file inside the repository asks for more than the user’s own policy allows.' },
  usage_invalid: { exit: 2, summary: 'A command line argument is missing, unknown or out of range.' },
  usage_not_a_repository: { exit: 2, summary: 'The command needs a git repository with at least one commit.' },
  usage_unknown_job: { exit: 2, summary: 'No job of that name or id exists in this repository.' },
  usage_wrong_state: { exit: 2, summary: 'The job is not in a state in which this command makes sense.' },
  host_unsupported: { exit: 3, summary: 'The operating system, kernel or filesystem lacks a feature that a layer needs.' },
  host_tool_missing: { exit: 3, summary: 'A program that Bulkhead needs is not installed or too old.' },
  host_no_space: { exit: 3, summary: 'The disk is full.' },
  native_not_built: { exit: 3, summary: 'The native module has not been built or was built for another system.' },
  native_abi_mismatch: { exit: 3, summary: 'The native module is of another version than this Bulkhead.' },
  native_failed: { exit: 70, summary: 'A step inside the native module failed; operation and errno are given.' },
  launch_not_found: { exit: 127, summary: 'The command to run does not exist inside the workspace.' },
  launch_not_executable: { exit: 126, summary: 'The command to run exists but cannot be executed.' },
  plugin_unknown: { exit: 2, summary: 'The configuration names a plugin that is not installed.' },
  plugin_invalid: { exit: 3, summary: 'A plugin does not fulfil its contract.' },
  plugin_failed: { exit: 70, summary: 'A plugin threw, hung or returned a wrong value in one of its hooks.' },
  layer_unusable: { exit: 4, summary: 'A chosen layer cannot work on this machine, so nothing was started.' },
  layer_unsupported: { exit: 4, summary: 'A chosen layer cannot express part of the policy, so nothing was started.' },
  layer_unverified: { exit: 4, summary: 'A layer was applied but the attack on it succeeded, so the agent was not started.' },
  setup_not_elevated: { exit: 3, summary: 'Setting up needs administrator rights, which this process does not have. Nothing was changed.' },
  setup_busy: { exit: 3, summary: 'Another process is setting this machine up.' },
  setup_incomplete: { exit: 3, summary: 'Setting up, or undoing it, stopped half-way. Running it again continues.' },
  job_cycle: { exit: 2, summary: 'Jobs need each other in a circle.' },
  job_failed: { exit: 1, summary: 'A job ended without success.' },
  workspace_failed: { exit: 70, summary: 'A workspace could not be created, read or removed.' },
  intake_refused: { exit: 4, summary: 'The agent’s work contains something that must not enter the repository.' },
  review_stale: { exit: 5, summary: 'The work changed after it was reviewed; it needs a new approval.' },
  merge_conflict: { exit: 5, summary: 'An approved change does not merge cleanly with the target.' },
  merge_gate_failed: { exit: 5, summary: 'A gate failed on the commit that would have landed.' },
  merge_target_moved: { exit: 5, summary: 'The target moved during the merge and did so again on every retry.' },
  merge_checkout_dirty: { exit: 5, summary: 'The user’s checkout of the target cannot be fast-forwarded cleanly.' },
  git_failed: { exit: 70, summary: 'A git command that should succeed did not.' },
  journal_busy: { exit: 3, summary: 'The journal stayed locked by another process.' },
  journal_corrupt: { exit: 3, summary: 'The journal is damaged or was changed by something else.' },
  journal_failed: { exit: 3, summary: 'The journal cannot be opened or written: permissions, a read-only disk, an I/O error.' },
  journal_newer: { exit: 3, summary: 'The journal was written by a newer Bulkhead.' },
  interrupted: { exit: 130, summary: 'The user stopped the command.' },
  internal: { exit: 70, summary: 'A defect in Bulkhead. Please report it.' },
} as const satisfies Record<string, { exit: number; summary: string }>

export type ErrorCode = keyof typeof errorCatalogue

export interface ErrorDetails {
  /** What the user can do about it, as one sentence. */
  remedy?: string
  /** Where: `file:line:column`, a path, a job name. */
  where?: string
  plugin?: string
  job?: string
  /** The step that failed, low in cardinality (`mount`, `clone3`, `git merge-tree`). */
  operation?: string
  /** `errno` name or NTSTATUS as text (`EACCES`, `0xC0000022`). */
  nativeCode?: string
  cause?: unknown
}

const brand = Symbol.for('bulkhead.error')

/** The only error class that crosses a module boundary. `toString` and the CLI print it as one line. */
export class BulkheadError extends Error {
  readonly code: ErrorCode
  readonly details: Omit<ErrorDetails, 'cause'>

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const { cause, ...rest } = details
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BulkheadError'
    this.code = code
    this.details = rest
    Object.defineProperty(this, brand, { value: true })
  }

  get exitCode(): number {
    return errorCatalogue[this.code].exit
  }

  /** True for errors of this class from any copy of the package, so that `instanceof` across duplicates is not needed. */
  static is(value: unknown): value is BulkheadError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }

  /** Wraps anything that was thrown; a BulkheadError passes unchanged. */
  static from(value: unknown, code: ErrorCode = 'internal', details: ErrorDetails = {}): BulkheadError {
    if (BulkheadError.is(value)) return value
    const message = value instanceof Error ? value.message : String(value)
    return new BulkheadError(code, message, { cause: value, ...details })
  }
}
