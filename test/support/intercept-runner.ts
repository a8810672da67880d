import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir } from 'node:fs/promises'
import { chmodSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const source = join(here, '..', '..', 'native', 'src')

/** The name of an errno as a number would be the same on no two systems' tables; these are Linux's on x86_64 and aarch64. */
const errnoNames: Readonly<Record<number, string>> = {
  0: 'ok',
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  9: 'EBADF',
  13: 'EACCES',
  14: 'EFAULT',
  22: 'EINVAL',
  36: 'ENAMETOOLONG',
  38: 'ENOSYS',
  93: 'EPROTONOSUPPORT',
  95: 'ENOTSUP',
  97: 'EAFNOSUPPORT',
  111: 'ECONNREFUSED',
}

export interface RunnerEvent {
  readonly rule: number
  readonly on: string
  readonly action: string
  readonly pid: number
  readonly lost: number
  readonly program: string
  readonly object: string
}

export interface RunnerResult {
  readonly stdout: string
  readonly stderr: string
  readonly events: readonly RunnerEvent[]
  /** Of the command; null when the runner itself died. */
  readonly end: { readonly code: number; readonly signal: number; readonly killed: number } | null
}

export interface RunOptions {
  /** `act action glob`. */
  readonly rules?: readonly string[]
  readonly attempt?: string
  /** Rules are silent, as while the walls are attacked before the command starts. */
  readonly held?: boolean
  /** In new user, mount and pid namespaces whose root shows `/usr` and `/workspace` (the working directory) alone. */
  readonly boxed?: boolean
  readonly command?: readonly string[]
  readonly directory?: string
  /** Runs supervisor and command as this user (needs root). */
  readonly uid?: number
}

/** The interception code with a small C driver around it, built with the system's compiler for one test file. */
export class InterceptRunner implements Disposable {
  private constructor(
    readonly directory: string,
    private readonly program: string,
  ) {}

  static async build(flags: readonly string[] = []): Promise<InterceptRunner> {
    const directory = await mkdtemp(join(tmpdir(), 'bulkhead-intercept-'))
    chmodSync(directory, 0o755)
    const parts = join(source, 'linux', 'intercept')
    const sources = (await readdir(parts)).filter((name) => name.endsWith('.c')).map((name) => join(parts, name))
    const program = join(directory, 'runner')
    const warnings = ['-std=c17', '-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Werror', ...flags]
    await promisify(execFile)('cc', [...warnings, '-I', source, '-o', program, join(here, 'intercept-runner.c'), ...sources])
    return new InterceptRunner(directory, program)
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** One answer per pair. */
  async glob(pairs: readonly (readonly [pattern: string, text: string])[]): Promise<boolean[]> {
    const { stdout } = await this.execute(['glob'], { input: pairs.map(([pattern, text]) => `${pattern}\0${text}\0`).join('') })
    return Array.from(stdout, (digit) => digit === '1')
  }

  /** System call number, verdict, and what the BPF program returns for it with all arguments 0. */
  async table(acts: number): Promise<{ length: number; calls: { number: number; verdict: number; action: number }[] }> {
    const { stdout } = await this.execute(['table', String(acts)])
    const [first = '', ...lines] = stdout.trim().split('\n')
    const calls = lines.map((line) => {
      const [number, verdict, action] = line.split(' ')
      return { number: Number(number), verdict: Number(verdict), action: Number.parseInt(action ?? '', 16) }
    })
    return { length: Number(first.split(' ')[1]), calls }
  }

  /** Every attempt the native code knows. */
  async names(): Promise<string[]> {
    const { stdout } = await this.execute(['names'])
    return stdout.trim().split('\n')
  }

  /** errno name by call name. */
  async attempt(filtered: boolean, names: readonly string[]): Promise<Map<string, string>> {
    const { stdout } = await this.execute(['attempt', ...(filtered ? [] : ['--open']), ...names])
    const entries = stdout
      .trim()
      .split('\n')
      .map((line): [string, string] => {
        const [name = '', errno] = line.split(' ')
        return [name, errnoNames[Number(errno)] ?? `errno ${errno}`]
      })
    return new Map(entries)
  }

  async run(options: RunOptions): Promise<RunnerResult> {
    const rules = (options.rules ?? []).flatMap((rule) => ['--rule', rule])
    const attempt = options.attempt === undefined ? [] : ['--attempt', options.attempt]
    const held = ['--held', options.held === true ? 'yes' : 'no', '--boxed', options.boxed === true ? 'yes' : 'no']
    const command = options.command === undefined ? [] : ['--', ...options.command]
    const { stdout, stderr, extra } = await this.execute(['run', ...rules, ...held, ...attempt, ...command], options)
    const lines = extra
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line))
    const events = lines.filter((line): line is RunnerEvent => typeof line === 'object' && line !== null && 'rule' in line)
    const end = lines.find((line): line is NonNullable<RunnerResult['end']> => typeof line === 'object' && line !== null && 'code' in line)
    return {
      stdout,
      stderr,
      events: events.map((event) => ({ ...event, object: latin1(event.object), program: latin1(event.program) })),
      end: end ?? null,
    }
  }

  private execute(
    args: readonly string[],
    options: { readonly input?: string; readonly directory?: string; readonly uid?: number } = {},
  ): Promise<{ stdout: string; stderr: string; extra: string }> {
    const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
    const child = spawn(this.program, args, {
      cwd: options.directory ?? this.directory,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      ...identity,
    })
    const [out, error, extra] = [gather(child.stdout), gather(child.stderr), gather(child.stdio[3] as NodeJS.ReadableStream | null)]
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', () => resolve({ stdout: out(), stderr: error(), extra: extra() }))
    })
  }
}

/** Collects a stream; the answer is everything read so far. */
function gather(stream: NodeJS.ReadableStream | null | undefined): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

function latin1(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}
