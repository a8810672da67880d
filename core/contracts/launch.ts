/**
 * The one description of a confined process that the native module executes.
 *
 * Layers never launch anything: each adds its part, and the native module carries all parts out in one fixed order
 * (`native/include/bulkhead.h`). A part that no layer contributed is `null`, never missing (the native side treats a missing field as
 * a defect). Parts are tagged by mechanism, so another operating system is another member of the union, not another shape.
 */
export interface LaunchSpec {
  readonly command: CommandPart
  readonly token: TokenPart | null
  readonly filesystem: FilesystemPart | null
  readonly network: NetworkPart | null
  readonly interception: InterceptionPart | null
  readonly limits: LimitsPart
}

export interface CommandPart {
  /** argv[0] is looked up on the PATH of `environment`, inside the sandbox. Never a shell string. */
  readonly argv: readonly string[]
  /** Absolute, as seen inside. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

export type TokenPart = UserNamespaceToken | RestrictedToken

/** user_namespaces(7): no capability anywhere, own pid, ipc, uts and cgroup namespaces, no_new_privs, own session and keyring. */
export interface UserNamespaceToken {
  readonly mechanism: 'linux-userns'
  /** Identity the agent believes to have. */
  readonly inside: Identity
  /** Kernel identity it really has. null: the caller's own (an unprivileged user can map nothing else). Never uid 0. */
  readonly outside: Identity | null
  readonly hostname: string
}

/**
 * A restricted primary token (Win32: CreateRestrictedToken) inside a kill-on-close job object: privileges removed, powerful groups
 * deny-only, restricting SIDs, an own default DACL. The restricting SIDs are, in this order: the workspace's (`AclView.workspaceSid`),
 * `launchSid`, then `restricting`.
 */
export interface RestrictedToken {
  readonly mechanism: 'windows-restricted'
  /** `blind`: both access checks apply to reads too. `write-restricted`: reads are checked against the user alone. */
  readonly tier: 'blind' | 'write-restricted'
  /** SID of this launch alone (`S-1-5-21-...`): what its processes and objects are guarded with. */
  readonly launchSid: string
  /** Further restricting SIDs, in string form; `logon` stands for that of the logon session, which only the launcher knows. */
  readonly restricting: readonly string[]
  readonly integrity: 'low' | 'medium'
  /** A desktop of its own, so that no window of the user can be reached. */
  readonly privateDesktop: boolean
  /** null: not limited. Bytes of committed memory of the whole tree, and percent of all processors together (1-100). */
  readonly memoryBytes: number | null
  readonly cpuPercent: number | null
  /** The local account that the process tree runs under; null: the user's own. */
  readonly account: AgentAccount | null
}

/** A leased low-rights account. `secretFile` holds its password, protected by DPAPI for the user who made it. */
export interface AgentAccount {
  readonly name: string
  readonly sid: string
  readonly secretFile: string
}

export interface Identity {
  readonly uid: number
  readonly gid: number
}

export type FilesystemPart = MountView | AclView

/** A new root: an empty read-only tmpfs on which `entries` are carried out in order; what is not listed does not exist. */
export interface MountView {
  readonly mechanism: 'linux-view'
  readonly entries: readonly ViewEntry[]
  /** Landlock (landlock(7)) on top of the view; null leaves it out (kernel without Landlock, which the plugin must report). */
  readonly landlock: { readonly read: readonly string[]; readonly write: readonly string[] } | null
}

/** The access control lists are in place before the launch; what the launcher adds is the SID that they name. */
export interface AclView {
  readonly mechanism: 'windows-acl'
  /** `S-1-5-21-...`, granted on the workspace and on nothing else. */
  readonly workspaceSid: string
}

/** `target` is absolute, as seen inside; parent directories are made as needed. */
export type ViewEntry =
  | {
      readonly kind: 'bind'
      readonly source: string
      readonly target: string
      readonly writable: boolean
      /** Owner on disk that must appear as the agent's own identity (idmapped mount, mount_setattr(2)); null: no mapping. */
      readonly owner: Identity | null
      /** True: a missing source is skipped; false: it is an error. */
      readonly optional: boolean
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes: number; readonly mode: number }
  | { readonly kind: 'file'; readonly target: string; readonly content: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string }
  | { readonly kind: 'directory'; readonly target: string; readonly mode: number }
  /** Covers an existing file or directory with an empty unreadable one. */
  | { readonly kind: 'hide'; readonly target: string }
  /** Private procfs of the job's pid namespace with the writable system parts (sys, irq, bus, sysrq-trigger) read-only. */
  | { readonly kind: 'proc'; readonly target: string }
  /** Minimal /dev: null zero full random urandom tty, pts, shm, fd links. */
  | { readonly kind: 'dev'; readonly target: string; readonly shmBytes: number }

export type NetworkPart = NetworkNamespace | FilteredNetwork

/** network_namespaces(7) with loopback only. */
export interface NetworkNamespace {
  readonly mechanism: 'linux-netns'
  /** Makes every address local to the namespace (`local default dev lo`), so that every connection reaches a listener below or fails at once. */
  readonly anyAddress: boolean
  /** Sockets opened inside and handed to the host side, in this order. Both address families. */
  readonly listeners: readonly { readonly protocol: 'tcp' | 'udp'; readonly port: number }[]
}

/** Windows Filtering Platform filters on the account of the token are in place before the launch. */
export interface FilteredNetwork {
  readonly mechanism: 'windows-wfp'
  /** The one loopback port that is open: the job's gateway. */
  readonly gatewayPort: number
}

export type InterceptionPart = SeccompInterception | HookInterception

/** seccomp(2) filter (closed list; unknown calls fail with ENOSYS) and a user-notification supervisor that answers `rules`. */
export interface SeccompInterception {
  readonly mechanism: 'linux-seccomp'
  readonly rules: readonly {
    /** Reported with each event: index of the rule in the policy. */
    readonly id: number
    readonly on: string
    readonly match: string
    readonly action: 'allow' | 'deny' | 'kill'
  }[]
}

/** A DLL in every process of the tree, from before its first instruction, that hooks the Nt* calls and answers `rules`. */
export interface HookInterception {
  readonly mechanism: 'windows-hook'
  readonly rules: readonly {
    readonly id: number
    readonly on: string
    readonly match: string
    readonly action: 'allow' | 'deny' | 'emulate' | 'redirect' | 'ask' | 'kill'
    /** Where `redirect` leads; null for every other action. */
    readonly target: string | null
  }[]
  /** What happens to a 32-bit child, which the DLL cannot enter. */
  readonly wow64: 'refuse' | 'report'
  /** Milliseconds after which an unanswered question is a no. */
  readonly askTimeoutMs: number
}

export interface LimitsPart {
  /** null: inherited. */
  readonly processes: number | null
  readonly openFiles: number | null
}
