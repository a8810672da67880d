import { spawn, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { simpleGit } from 'simple-git'
import { BulkheadError } from '../core/contracts/error.ts'
import { hasUnixFiles } from './filesystem.ts'
import { failure, operation } from './git-failure.ts'
import { pinnedEnvironment, userEnvironment } from './pins.ts'
import { visibleLine } from './visible.ts'

/** Which repository a command works on. Always explicit: git never looks for one. */
export interface Place {
  /** Owned by the user or by Bulkhead, never written by an agent. */
  readonly gitDirectory: string
  readonly workTree?: string
  /** Private index file; the repository's own when absent. */
  readonly index?: string
  /** Where new objects go when not into the repository's own store. */
  readonly objects?: string
  /** Boundary commits of a shallow repository, when not the repository's own file. */
  readonly shallow?: string
  /** False for the one command (`check-ignore`) that refuses to take its paths literally. */
  readonly literalPaths?: false
  /** Added to the pinned configuration. */
  readonly config?: Readonly<Record<string, string>>
}

export interface RunOptions {
  /** Written to stdin, which is /dev/null otherwise. */
  readonly input?: string | Buffer
  /** Exit codes that are answers and not failures; default 0 only. */
  readonly exits?: readonly number[]
  /** More output than this ends the command as failed; default 256 MiB. */
  readonly maximumBytes?: number
  /** More output than `maximumBytes` is cut instead, and `cut` is true. */
  readonly truncate?: boolean
  readonly timeoutMs?: number
  /** Tries again while another process holds a lock of the repository. */
  readonly retryLocks?: boolean
}

export interface GitResult {
  readonly stdout: Buffer
  readonly stderr: string
  readonly exitCode: number
  readonly cut: boolean
}

const defaultTimeoutMs = 10 * 60_000
const lockAttempts = 12
/** Locks, and what git says of a worktree that another process is just adding. */
const locked =
  /\.lock['"]?: File exists|could not lock|Unable to create .*\.lock|cannot lock ref .*File exists|failed to read .*commondir|fatal: not a git repository|bad object worktrees\//i

/**
 * The only door to git. Every command gets an explicit `--git-dir`, the pinned environment, a working directory that is ours and
 * empty, a time limit, and its exit code is looked at.
 *
 * Failures are `git_failed` (operation and git's last line), or `host_no_space`.
 */
export class Git {
  constructor(
    private readonly binary: string,
    /** An empty directory of ours: git reads `.gitattributes` of its working directory where no work tree is given. */
    private readonly directory: string,
  ) {}

  /** For commands that print text. Returns stdout unchanged. */
  async text(place: Place, args: readonly string[]): Promise<string> {
    const env = environment(this.binary, place)
    let failed: BulkheadError | undefined
    // By itself simple-git takes an exit code other than 0 for success when nothing was printed to stderr: hence `errors`.
    const git = simpleGit({
      baseDir: this.directory,
      binary: this.binary,
      maxConcurrentProcesses: 1,
      // It cannot give /dev/null as stdin; a written newline at least ends it.
      input: () => '\n',
      completion: { onClose: true, onExit: false },
      timeout: { block: defaultTimeoutMs },
      errors: (error, result) => {
        if (error !== undefined) return error
        if (result.exitCode === 0) return undefined
        return (failed = failure(args, result.exitCode, Buffer.concat(result.stdErr).toString()))
      },
      // Its guards refuse guarded names even where they are set to close a hole, which is what our pins do.
      allowEnvironment: Object.keys(env),
      unsafe: {
        allowUnsafeCustomBinary: true,
        allowUnsafeConfigPaths: true,
        allowUnsafeConfigEnvCount: true,
        allowUnsafeAskPass: true,
        allowUnsafeEditor: true,
        allowUnsafePager: true,
        allowUnsafeFilter: true,
        allowUnsafeFsMonitor: true,
        allowUnsafeHooksPath: true,
        allowUnsafeCredentialHelper: true,
        allowUnsafeProtocolOverride: true,
      },
    }).env(env)
    try {
      return await git.raw([...globalArguments(place), ...args])
    } catch (error) {
      // It wraps what the handler returns as text.
      const text = error instanceof Error ? error.message : String(error)
      throw (
        failed ?? new BulkheadError('git_failed', `${operation(args)} failed: ${visibleLine(text.trim())}`, { operation: operation(args) })
      )
    }
  }

  /**
   * For commands that read stdin, print bytes, print nothing, or answer by their exit code. simple-git can do neither of the first two,
   * and waits 50 ms after every command that printed nothing.
   */
  async run(place: Place, args: readonly string[], options: RunOptions = {}): Promise<GitResult> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.once(place, args, options)
      if ((options.exits ?? [0]).includes(result.exitCode)) return result
      if (options.retryLocks !== true || attempt >= lockAttempts || !locked.test(result.stderr)) {
        throw failure(args, result.exitCode, result.stderr)
      }
      await sleep(Math.random() * Math.min(20 * 2 ** attempt, 800))
    }
  }

  /** `run` for commands whose output is a list of NUL-ended fields. */
  async fields(place: Place, args: readonly string[], options: RunOptions = {}): Promise<readonly string[]> {
    const { stdout } = await this.run(place, args, options)
    const fields = stdout.toString('utf8').split('\0')
    fields.pop()
    return fields
  }

  /**
   * `first | second`. The bytes go from one process to the other and not through this one, except on Windows: our end of a pipe is in
   * overlapped mode there, in which a program that knows nothing of it must not read (ReadFile, `lpOverlapped`).
   */
  async pipe(
    first: { place: Place; args: readonly string[]; input: string },
    second: { place: Place; args: readonly string[] },
  ): Promise<string> {
    const source = this.start(first.place, first.args, 'pipe')
    source.stdin?.on('error', () => {}).end(first.input)
    const sink = this.start(second.place, second.args, hasUnixFiles ? (source.stdout ?? 'ignore') : 'pipe')
    if (hasUnixFiles) {
      // Before anything is read on this side: otherwise the first bytes would end up here, and 'close' would wait for them.
      source.stdout?.destroy()
    } else {
      sink.stdin?.on('error', () => source.stdout?.destroy())
      source.stdout?.pipe(sink.stdin as Writable)
    }
    const [read, written] = await Promise.allSettled([finish(source, first.args, { elsewhere: true }), finish(sink, second.args, {})])
    // The reader first: when it gives up, the writer only reports a broken pipe.
    const right = settled(written)
    if (right.exitCode !== 0) throw failure(second.args, right.exitCode, right.stderr)
    const left = settled(read)
    if (left.exitCode !== 0) throw failure(first.args, left.exitCode, left.stderr)
    return right.stdout.toString('utf8')
  }

  /**
   * The one command that lets git look for a repository: at start, from the directory the user named, to find the user's own. Their
   * configuration is read here so that `safe.directory` holds; `rev-parse` runs nothing.
   */
  async discover(directory: string, variables: NodeJS.ProcessEnv, args: readonly string[]): Promise<GitResult> {
    const env = userEnvironment(this.binary, variables)
    const child = spawn(this.binary, ['rev-parse', ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    return finish(child, args, {})
  }

  /** Settings that match `pattern`, as the user has them: in the system's, their own and the repository's configuration, last one last. */
  async userConfig(place: Place, variables: NodeJS.ProcessEnv, pattern: string): Promise<Readonly<Record<string, string>>> {
    const args = ['config', '-z', '--includes', '--get-regexp', pattern]
    const child = spawn(this.binary, [...globalArguments(place), ...args], {
      cwd: this.directory,
      env: userEnvironment(this.binary, variables),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    })
    const { stdout, stderr, exitCode } = await finish(child, args, {})
    if (exitCode > 1) throw failure(args, exitCode, stderr)
    const entries = stdout.toString('utf8').split('\0').slice(0, -1)
    // A key without a value (`[core] autocrlf`) means true.
    return Object.fromEntries(
      entries.map((entry) => [entry.split('\n', 1)[0] ?? '', entry.includes('\n') ? entry.slice(entry.indexOf('\n') + 1) : 'true']),
    )
  }

  private once(place: Place, args: readonly string[], options: RunOptions): Promise<GitResult> {
    const child = this.start(place, args, options.input === undefined ? 'ignore' : 'pipe')
    child.stdin?.on('error', () => {}).end(options.input)
    return finish(child, args, options)
  }

  private start(place: Place, args: readonly string[], stdin: 'ignore' | 'pipe' | NodeJS.ReadableStream): ChildProcess {
    return spawn(this.binary, [...globalArguments(place), ...args], {
      cwd: this.directory,
      env: environment(this.binary, place),
      stdio: [stdin as 'ignore' | 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
  }
}

function settled(result: PromiseSettledResult<GitResult>): GitResult {
  if (result.status === 'fulfilled') return result.value
  throw result.reason
}

function globalArguments(place: Place): string[] {
  return [`--git-dir=${place.gitDirectory}`, ...(place.workTree === undefined ? [] : [`--work-tree=${place.workTree}`])]
}

function environment(binary: string, place: Place): Record<string, string> {
  return {
    ...pinnedEnvironment(binary, place.config),
    ...(place.literalPaths === false ? {} : { GIT_LITERAL_PATHSPECS: '1' }),
    ...(place.index === undefined ? {} : { GIT_INDEX_FILE: place.index }),
    ...(place.objects === undefined ? {} : { GIT_OBJECT_DIRECTORY: place.objects }),
    ...(place.shallow === undefined ? {} : { GIT_SHALLOW_FILE: place.shallow }),
  }
}

/** Commands at work. They end with us: git has no reason to go on when nobody hears its answer. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

function finish(child: ChildProcess, args: readonly string[], options: RunOptions & { readonly elsewhere?: true }): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    running.add(child)
    child.once('close', () => running.delete(child))
    const output: Buffer[] = []
    const errors: Buffer[] = []
    let bytes = 0
    let cut = false
    let stopped: string | undefined
    const kill = (): void => {
      child.kill('SIGKILL')
      // Otherwise 'close' would wait for a grandchild that has the pipes.
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
    const stop = (reason: string): void => {
      stopped ??= reason
      kill()
    }
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    const timer = setTimeout(() => stop(`took longer than ${Math.round(timeoutMs / 1000)} s`), timeoutMs)
    const maximum = options.maximumBytes ?? 256 * 1024 * 1024
    const collect = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= maximum) return void output.push(chunk)
      if (options.truncate !== true) return stop(`printed more than ${maximum} bytes`)
      cut = true
      kill()
    }
    if (options.elsewhere !== true) child.stdout?.on('data', collect)
    child.stderr?.on('data', (chunk: Buffer) => {
      if (errors.length < 1000) errors.push(chunk)
    })
    child.on('error', (error) => {
      // Ending one that is just ending by itself is refused on Windows; 'close' follows.
      if (stopped !== undefined || cut) return
      clearTimeout(timer)
      reject(
        new BulkheadError('git_failed', `${operation(args)} could not be started: ${error.message}`, {
          operation: operation(args),
          cause: error,
        }),
      )
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const stderr = Buffer.concat(errors).toString('utf8')
      if (stopped !== undefined) reject(failure(args, -1, stopped))
      else if (cut) resolve({ stdout: Buffer.concat(output), stderr, exitCode: 0, cut })
      else if (code === null) reject(failure(args, -1, `ended by ${signal ?? 'a signal'}`))
      else resolve({ stdout: Buffer.concat(output), stderr, exitCode: code, cut })
    })
  })
}
