import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asOrdinaryUser, hostHas, ordinaryUser, packageRoot } from './host.ts'

/** Who runs the built command line. */
export interface Identity {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly prefix: readonly string[]
}

/** Root and an ordinary user where this machine can be both; otherwise whoever runs the tests. */
export const identities: readonly Identity[] = hostHas('root')
  ? [
      { name: 'root', uid: 0, gid: 0, prefix: [] },
      ...(hostHas('ordinary-user') ? [{ name: 'an ordinary user', ...ordinaryUser, prefix: asOrdinaryUser }] : []),
    ]
  : [{ name: 'an ordinary user', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, prefix: [] }]

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A repository, a home and a state directory of one user, and the built command line to use them with. */
export class Desk implements Disposable {
  readonly directory: string
  readonly repository: string
  readonly config: string
  readonly #identity: Identity

  constructor(identity: Identity, configuration: string) {
    this.#identity = identity
    // Not below /tmp, which the walls replace by a private one.
    this.directory = mkdtempSync('/var/tmp/bulkhead-desk-')
    this.repository = join(this.directory, 'repository')
    this.config = join(this.directory, 'bulkhead.yaml')
    mkdirSync(this.repository)
    mkdirSync(join(this.directory, 'home'))
    writeFileSync(this.config, configuration)
    execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, this.directory])
    this.git('init', '--quiet', '--initial-branch=main')
    this.git('config', 'user.name', 'Tester')
    this.git('config', 'user.email', 'tester@bulkhead.invalid')
    this.git('commit', '--quiet', '--allow-empty', '--message', 'First')
  }

  git(...args: readonly string[]): string {
    const result = this.#sync([...this.#identity.prefix, 'git', ...args])
    if (result.code !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`)
    return result.stdout.trim()
  }

  /** The built command line, to its end. */
  run(...args: readonly string[]): Result {
    return this.#sync(this.#command(args))
  }

  json(...args: readonly string[]): unknown {
    const result = this.run(...args, '--json')
    if (result.code !== 0) throw new Error(`bulkhead ${args.join(' ')}: ${result.stderr}`)
    return JSON.parse(result.stdout)
  }

  /** The built command line, in the background and in a process group of its own. */
  start(...args: readonly string[]): ChildProcess {
    const [program = '', ...rest] = this.#command(args)
    return spawn(program, rest, { cwd: this.repository, env: this.#environment(), stdio: 'ignore', detached: true })
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  #environment(): NodeJS.ProcessEnv {
    const { directory, config } = this
    return { PATH: process.env['PATH'], HOME: join(directory, 'home'), BULKHEAD_STATE: join(directory, 'state'), BULKHEAD_CONFIG: config }
  }

  #command(args: readonly string[]): string[] {
    return [...this.#identity.prefix, process.execPath, join(packageRoot, 'dist/cli/main.js'), ...args]
  }

  #sync([program = '', ...args]: readonly string[]): Result {
    const options = { cwd: this.repository, env: this.#environment(), encoding: 'utf8', timeout: 170_000, maxBuffer: 64 << 20 } as const
    const result = spawnSync(program, args, options)
    return { code: result.status, stdout: result.stdout, stderr: `${result.stderr}${result.error?.message ?? ''}` }
  }
}

/** Pids whose command line contains `marker`, but for the caller's own. */
export function processesWith(marker: string): number[] {
  const result = spawnSync('pgrep', ['-f', marker], { encoding: 'utf8' })
  return result.stdout
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
}
