/**
 * Every way Bulkhead can fail, with the process exit code it maps to, what the code means, and what the user can do where the place that
 * threw knows nothing better.
 *
 * The list is closed: `docs/errors.md` is generated from it and a test keeps both equal. A *denied action of an agent is not
 * here*: it is an event (see `Denial` in `event.ts`).
 *
 * Exit codes: 1 a job failed, 2 configuration or usage, 3 the host lacks something, 4 refused by policy or enforcement,
 * 5 merge or review could not go on, 70 a defect in Bulkhead, 130 interrupted.
 */
export const errorCatalogue = {
  config_not_found: {
    exit: 2,
    summary: 'A configuration or jobs file that was named does not exist or cannot be read.',
    remedy: 'Name a YAML file that you can read.',
  },
  config_syntax: {
    exit: 2,
    summary: 'A configuration file is not valid YAML 1.2.',
    remedy: 'Correct the line that is named.',
  },
  config_invalid: {
    exit: 2,
    summary: 'A configuration value breaks a rule: unknown key, wrong type, impossible combination.',
    remedy: 'See docs/config.md for what can be written.',
  },
  config_widens_policy: {
    exit: 2,
    summary: 'A file inside the repository asks for more than the user’s own policy allows.',
    remedy: 'Allow it in your own configuration file, or take it out of the repository’s.',
  },
  usage_invalid: {
    exit: 2,
    summary: 'A command line argument is missing, unknown or out of range.',
    remedy: 'Add --help for what the command takes.',
  },
  usage_not_a_repository: {
    exit: 2,
    summary: 'The command needs a git repository with at least one commit.',
    remedy: 'Run this in a checkout that has a commit.',
  },
  usage_unknown_job: {
    exit: 2,
    summary: 'No job of that name or id exists in this repository.',
    remedy: 'See bulkhead ls for the jobs there are.',
  },
  usage_wrong_state: {
    exit: 2,
    summary: 'The job is not in a state in which this command makes sense.',
    remedy: 'See bulkhead ls for the state of each job.',
  },
  host_unsupported: {
    exit: 3,
    summary: 'The operating system, kernel or filesystem lacks a feature that a layer needs.',
    remedy: 'Run bulkhead doctor to see what this machine can do.',
  },
  host_tool_missing: {
    exit: 3,
    summary: 'A program that Bulkhead needs is not installed or too old.',
    remedy: 'Install it and put it on PATH.',
  },
  host_no_space: {
    exit: 3,
    summary: 'The disk is full.',
    remedy: 'Free some space and run the command again.',
  },
  native_not_built: {
    exit: 3,
    summary: 'The native module has not been built or was built for another system.',
    remedy: 'Run npm run build in Bulkhead’s directory (needs a C compiler).',
  },
  native_abi_mismatch: {
    exit: 3,
    summary: 'The native module is of another version than this Bulkhead.',
    remedy: 'Run npm run build in Bulkhead’s directory (needs a C compiler).',
  },
  native_failed: {
    exit: 70,
    summary: 'A step inside the native module failed; operation and errno are given.',
    remedy: 'Run bulkhead doctor to see what this machine can do.',
  },
  launch_not_found: {
    exit: 127,
    summary: 'The command to run does not exist inside the workspace.',
    remedy: 'Check its name; programs outside the system directories must be on PATH or named under policy.filesystem.read.',
  },
  launch_not_executable: {
    exit: 126,
    summary: 'The command to run exists but cannot be executed.',
    remedy: 'Check that it is executable and has an interpreter line.',
  },
  plugin_unknown: {
    exit: 2,
    summary: 'The configuration names a plugin that is not installed.',
    remedy: 'Name one that bulkhead doctor lists.',
  },
  plugin_invalid: {
    exit: 3,
    summary: 'A plugin does not fulfil its contract.',
    remedy: 'Report this to the author of the plugin, or choose another one.',
  },
  plugin_failed: {
    exit: 70,
    summary: 'A plugin threw, hung or returned a wrong value in one of its hooks.',
    remedy: 'Report this to the author of the plugin, or choose another one.',
  },
  layer_unusable: {
    exit: 4,
    summary: 'A chosen layer cannot work on this machine, so nothing was started.',
    remedy: 'Run bulkhead doctor to see what this machine can do.',
  },
  layer_unsupported: {
    exit: 4,
    summary: 'A chosen layer cannot express part of the policy, so nothing was started.',
    remedy: 'Choose another plugin for this layer, or take it out of the policy.',
  },
  layer_unverified: {
    exit: 4,
    summary: 'A layer was applied but the attack on it succeeded, so the agent was not started.',
    remedy: 'Nothing was started. Run bulkhead doctor --attest to see each attack and its result.',
  },
  setup_not_elevated: {
    exit: 3,
    summary: 'Setting up needs administrator rights, which this process does not have. Nothing was changed.',
    remedy: 'Run it again from an administrator’s console.',
  },
  setup_busy: {
    exit: 3,
    summary: 'Another process is setting this machine up.',
    remedy: 'Wait for the other one to end, then run it again.',
  },
  setup_incomplete: {
    exit: 3,
    summary: 'Setting up, or undoing it, stopped half-way. Running it again continues.',
    remedy: 'Run the same command again.',
  },
  job_cycle: {
    exit: 2,
    summary: 'Jobs need each other in a circle.',
    remedy: 'Remove one of these needs.',
  },
  job_failed: {
    exit: 1,
    summary: 'A job ended without success.',
    remedy: 'See bulkhead logs for what its agent wrote.',
  },
  workspace_failed: {
    exit: 70,
    summary: 'A workspace could not be created, read or removed.',
    remedy: 'Look at what stands in the way, then run the command again.',
  },
  intake_refused: {
    exit: 4,
    summary: 'The agent’s work contains something that must not enter the repository.',
    remedy: 'Rename or remove it in the workspace, or reject the job.',
  },
  review_stale: {
    exit: 5,
    summary: 'The work changed after it was reviewed; it needs a new approval.',
    remedy: 'Look at the work again with bulkhead diff, then approve it.',
  },
  merge_conflict: {
    exit: 5,
    summary: 'An approved change does not merge cleanly with the target.',
    remedy: 'Run the job again on the target as it is now, or merge its ref by hand.',
  },
  merge_gate_failed: {
    exit: 5,
    summary: 'A gate failed on the commit that would have landed.',
    remedy: 'See what the gate printed with bulkhead show.',
  },
  merge_target_moved: {
    exit: 5,
    summary: 'The target moved during the merge and did so again on every retry.',
    remedy: 'Run bulkhead merge again when the target is quieter.',
  },
  merge_checkout_dirty: {
    exit: 5,
    summary: 'The user’s checkout of the target cannot be fast-forwarded cleanly.',
    remedy: 'Commit, stash or move your changes, then merge again.',
  },
  git_failed: {
    exit: 70,
    summary: 'A git command that should succeed did not.',
    remedy: 'Run git fsck in the repository; BULKHEAD_DEBUG=1 shows where it happened.',
  },
  journal_busy: {
    exit: 3,
    summary: 'The journal stayed locked by another process.',
    remedy: 'Wait for the other bulkhead command to end, then try again.',
  },
  journal_corrupt: {
    exit: 3,
    summary: 'The journal is damaged or was changed by something else.',
    remedy: 'Move the journal away to begin a new one; work under refs/bulkhead stays in the repository.',
  },
  journal_failed: {
    exit: 3,
    summary: 'The journal cannot be opened or written: permissions, a read-only disk, an I/O error.',
    remedy: 'Make the directory writable for you, or set BULKHEAD_STATE to one that is.',
  },
  journal_newer: {
    exit: 3,
    summary: 'The journal was written by a newer Bulkhead.',
    remedy: 'Use the newer Bulkhead that wrote it.',
  },
  interrupted: {
    exit: 130,
    summary: 'The user stopped the command.',
    remedy: 'Run the command again to go on.',
  },
  internal: {
    exit: 70,
    summary: 'A defect in Bulkhead. Please report it.',
    remedy: 'Please report this; BULKHEAD_DEBUG=1 shows where it happened.',
  },
} as const satisfies Record<string, { exit: number; summary: string; remedy: string }>

export type ErrorCode = keyof typeof errorCatalogue

export interface ErrorDetails {
  /** What the user can do about it, as one sentence; without: that of the catalogue. */
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

  /** Never empty: an error without advice leaves its reader alone. */
  get remedy(): string {
    return this.details.remedy === undefined || this.details.remedy === '' ? errorCatalogue[this.code].remedy : this.details.remedy
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
