import type { Readable, Writable } from 'node:stream'
import type { LaunchSpec } from './launch.ts'

/** Starts confined processes. Implemented by `native/`, used by `core/enforcement` only. */
export interface Launcher extends AsyncDisposable {
  /**
   * Builds the sandbox and stops right before the command is executed: the process that will become the agent is already behind every
   * wall and can be told to attack them (`attempt`). Rejects with `native_failed` (operation and errno) when any step fails; then
   * nothing is left behind.
   */
  launch(spec: LaunchSpec, stdio: Stdio): Promise<Sandbox>
}

export type Stdio =
  /** Pipes: `Sandbox.stdin/stdout/stderr` are set. */
  | { readonly kind: 'pipes' }
  /** The caller's own descriptors 0, 1, 2. */
  | { readonly kind: 'inherit' }
  /** A new pseudo-terminal inside, joined to the caller's terminal (descriptors 0 and 1) by the supervisor. */
  | { readonly kind: 'terminal'; readonly columns: number; readonly rows: number }

export interface Sandbox extends AsyncDisposable {
  /** Host pid of the sandbox's first process and its start time (clock ticks since boot, proc(5) field 22): together unique. */
  readonly process: ProcessIdentity
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /** Descriptors of `NetworkPart.listeners`, same order. Owned by whoever takes them (the network layer). */
  readonly listeners: readonly number[]
  /** Tries acts from inside, in order, before the command starts. Rejects after `start`. */
  attempt(attempts: readonly Attempt[]): Promise<readonly Outcome[]>
  /** Executes the command. Rejects with `launch_not_found` or `launch_not_executable`. */
  start(): Promise<void>
  signal(signal: NodeJS.Signals): void
  resize(columns: number, rows: number): void
  /** Ends every process of the tree, also those that double-forked. */
  kill(): void
  /** Interception events, in order. `lost` counts events dropped since the previous one because they came too fast. */
  onIntercepted(listener: (event: Intercepted) => void): void
  /** Calls that wait for an answer (rules with action `ask`). Without a listener, or when it throws, the answer is no. */
  onAsked(listener: (question: Question) => Promise<boolean>): void
  /** Resolves when no process of the tree is left. */
  readonly exited: Promise<Exit>
}

export interface ProcessIdentity {
  readonly pid: number
  readonly startTime: string
}

export interface Exit {
  /** Exit code of the command; null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Set when an interception rule with action `kill` ended the job: its id. */
  readonly killedByRule: number | null
}

export interface Intercepted {
  readonly rule: number
  readonly on: string
  readonly object: string
  /** What was done. Of a rule that asks: what the answer was. */
  readonly action: 'allow' | 'deny' | 'emulate' | 'redirect' | 'kill'
  /** Pid inside the sandbox and the program's name (comm, at most 15 bytes, as the agent chose it). */
  readonly pid: number
  readonly program: string
  readonly lost: number
}

/** An act that waits for a yes or no. Texts are the agent's: escape before printing. */
export type Question = Pick<Intercepted, 'rule' | 'on' | 'object' | 'pid' | 'program'>

/** An act tried from inside the sandbox to find out whether a wall holds. */
export type Attempt =
  | { readonly op: 'read'; readonly path: string }
  /** open(2) with O_WRONLY and without O_TRUNC, so that probing never changes a file. */
  | { readonly op: 'write'; readonly path: string }
  /** open(2) with O_CREAT | O_EXCL; the file is removed again. */
  | { readonly op: 'create'; readonly path: string }
  | { readonly op: 'connect'; readonly address: string; readonly port: number }
  /** Raw system call with all arguments 0 (or the arguments that make it harmless); which names exist is the native module's list. */
  | { readonly op: 'syscall'; readonly name: string }
  /** kill(2) with signal 0; on Windows OpenProcess for writing its memory and ending it. */
  | { readonly op: 'signal'; readonly pid: number }
  /**
   * A fact of the process itself: a line of /proc/self/status or `ids` (uid, gid and kernel identity) on Linux; on Windows what
   * `native/src/windows/launcher/status.c` lists (token, job, desktop, hook).
   */
  | { readonly op: 'status'; readonly field: string }

export interface Outcome {
  /** true: the act succeeded. */
  readonly ok: boolean
  /** errno name when it did not, also on Windows where one fits; otherwise `win32 <number>`. */
  readonly error: string | null
  /** For `status`: the value. */
  readonly value: string | null
}
