/**
 * What a job may do, in terms that mean the same on every operating system.
 *
 * An empty list means none. The policy comes from the host only; a file in the repository may narrow it, never widen it.
 */
export interface Policy {
  readonly filesystem: FilesystemPolicy
  readonly network: NetworkPolicy
  /** First matching rule wins. What no rule matches is left to the other layers. */
  readonly interception: readonly InterceptionRule[]
  readonly limits: Limits
  /** The agent's whole environment is built from nothing but these values, and `pass`. */
  readonly environment: Readonly<Record<string, string>>
  /**
   * Names whose values come from the host's environment. They are filled in when a command starts, so that secrets are never part of a
   * stored policy.
   */
  readonly pass?: readonly string[]
}

/** Absolute, canonical host paths. The workspace itself is always readable and writable and is not listed. */
export interface FilesystemPolicy {
  /** Shown read-only besides the system's tools. */
  readonly read: readonly string[]
  readonly write: readonly string[]
  /** Hidden even where `read`, `write` or the workspace would show them. `*` and `**` as in gitignore; relative = inside the workspace. */
  readonly deny: readonly string[]
}

export interface NetworkPolicy {
  readonly allow: readonly NetworkRule[]
}

export interface NetworkRule {
  /** Canonical ASCII host: `api.example.com`, `*.example.com` (subdomains only, never the bare domain) or an IP literal. */
  readonly host: string
  /** null: 80 and 443. */
  readonly port: number | null
}

/** One vocabulary for every operating system. A layer lists what it cannot observe as unsupported. */
export const interceptedActs = [
  'file.write',
  'file.delete',
  'file.rename',
  'file.chmod',
  'process.exec',
  'process.signal',
  'process.inspect',
  'net.connect',
  'net.bind',
  'registry.write',
  'registry.delete',
  'service.control',
  'system.change',
] as const
export type InterceptedAct = (typeof interceptedActs)[number]

/** Every answer is logged as an event; `allow` therefore means "let it happen and tell me". */
export const interceptionActions = ['allow', 'deny', 'emulate', 'redirect', 'ask', 'kill'] as const
export type InterceptionAction = (typeof interceptionActions)[number]

export interface InterceptionRule {
  readonly on: InterceptedAct
  /**
   * Glob on the act's object: an absolute path (`/usr/bin/curl`), a path relative to the workspace (`./dist` and below), or
   * `address:port` for `net.*`. `*` stays within a path component, `**` crosses them.
   */
  readonly match: string
  readonly action: InterceptionAction
  /** Where `redirect` leads: an absolute path, a path relative to the workspace, or `address:port`. There with `redirect` and only then. */
  readonly target?: string | undefined
}

/** null: not limited. */
export interface Limits {
  /** Wall time of one attempt, in milliseconds. */
  readonly timeMs: number | null
  /** Ends the job when neither output nor a file change was seen for this long, in milliseconds. */
  readonly stallMs: number | null
  /** Bytes of stdout and stderr together. */
  readonly outputBytes: number | null
  /** Processes and threads alive at once in the job. */
  readonly processes: number | null
  readonly openFiles: number | null
  /** Bytes in the job's private /tmp, /dev/shm and HOME together (memory-backed on Linux). */
  readonly temporaryBytes: number | null
}
