import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asOrdinaryUser, hostHas, ordinaryUser, packageRoot } from './host.ts'

export interface CliIdentity {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** What runs a command as this identity. */
  readonly prefix: readonly string[]
}

const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]

/** Whoever runs the tests, and an ordinary user where that can be had. */
export const identities: readonly CliIdentity[] = [
  { name: uid === 0 ? 'root' : 'the user of the tests', uid, gid, prefix: [] },
  ...(hostHas('ordinary-user') ? [{ name: 'an ordinary user', ...ordinaryUser, prefix: asOrdinaryUser }] : []),
]

/** Pids of processes whose command line contains `text`, zombies left out. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && commandLine(pid).includes(text))
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** A directory with a home, a configuration and a repository of one commit, and the built command line in it. */
export class Desk implements Disposable {
  readonly directory: string
  readonly repository: string
  readonly #identity: CliIdentity

  constructor(identity: CliIdentity, configuration: string) {
    this.#identity = identity
    // Not below /tmp, which every sandbox has of its own.
    this.directory = mkdtempSync('/var/tmp/bulkhead-desk-')
    chownSync(this.directory, identity.uid, identity.gid)
    this.repository = join(this.directory, 'repository')
    const place = join(this.directory, 'home/.config/bulkhead')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'bulkhead.yaml'), configuration)
    execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, join(this.directory, 'home')])
    this.#plain('git', 'init', '--quiet', '--initial-branch=main', this.repository)
    this.#plain('git', '-C', this.repository, 'commit', '--quiet', '--allow-empty', '--message', 'Begin')
  }

  run(...argv: readonly string[]): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
    const [program, args] = this.#command(argv)
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: this.repository,
      env: this.#environment,
      encoding: 'utf8',
      timeout: 170_000,
    })
    return { code: status, stdout, stderr }
  }

  /** In a process group of its own, so that all of it can be killed at once. */
  start(...argv: readonly string[]): ChildProcess {
    const [program, args] = this.#command(argv)
    return spawn(program, args, { cwd: this.repository, env: this.#environment, stdio: 'ignore', detached: true })
  }

  /** What the command line printed, as the test knows it to be. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- JSON has no type of its own
  json<T>(...argv: readonly string[]): T {
    const { code, stdout, stderr } = this.run(...argv, '--json')
    if (code !== 0) throw new Error(`bulkhead ${argv.join(' ')} ended with ${code}: ${stderr}`)
    return JSON.parse(stdout) as T
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  get #environment(): NodeJS.ProcessEnv {
    const author = {
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    }
    return { PATH: process.env['PATH'], HOME: join(this.directory, 'home'), ...author }
  }

  #command(argv: readonly string[]): [string, string[]] {
    const [program = '', ...args] = [...this.#identity.prefix, process.execPath, join(packageRoot, 'dist/core/cli/main.js'), ...argv]
    return [program, args]
  }

  #plain(...argv: readonly string[]): void {
    const [program = '', ...args] = [...this.#identity.prefix, ...argv]
    execFileSync(program, args, { env: this.#environment, stdio: 'ignore' })
  }
}
