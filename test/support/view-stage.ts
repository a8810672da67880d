import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { EnvironmentSpec, Policy, WorkspaceView } from '../../core/contracts/index.ts'
import type { EnterAnswer, EnterResult, EnterScript } from './enter.ts'
import { emptyPolicy } from './fake-request.ts'
import { asOrdinaryUser, hostHas, ordinaryUser, packageRoot } from './host.ts'

export interface Who {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly prefix: readonly string[]
  readonly possible: boolean
}

export const identities: readonly Who[] = [
  { name: 'root', uid: 0, gid: 0, prefix: [], possible: hostHas('root') },
  { name: 'an ordinary user', ...ordinaryUser, prefix: asOrdinaryUser, possible: hostHas('ordinary-user') },
]

/** A repository, a job's workspace on it, a home directory and things outside, all of one user. */
export class ViewStage {
  readonly who: Who
  /** Not below /tmp, which a view has its own of anyway. */
  readonly base = mkdtempSync('/var/tmp/bulkhead-view-')
  readonly home = join(this.base, 'home')
  readonly outside = join(this.base, 'outside')
  readonly secret = join(this.outside, 'secret')
  readonly repository = join(this.base, 'repository')
  readonly tree = join(this.base, 'job', 'tree')
  readonly gitDirectory = join(this.base, 'job', 'git')
  #driver: ChildProcessByStdio<Writable, Readable, null> | undefined
  #answers: AsyncIterator<string> | undefined

  constructor(who: Who) {
    this.who = who
    for (const path of [join(this.home, '.ssh'), this.outside, this.tree]) mkdirSync(path, { recursive: true })
    // For everybody, so that nothing but the view can be what hides them.
    for (const path of [this.secret, join(this.home, '.ssh/id'), join(this.outside, 'victim')]) writeFileSync(path, 'canary-77ab\n')
    chmodSync(this.base, 0o755)
    chmodSync(this.outside, 0o777)
    chmodSync(join(this.outside, 'victim'), 0o666)
    this.#makeRepository()
    execFileSync('chown', ['-R', `${who.uid}:${who.gid}`, this.base])
  }

  /** The user's repository has one commit; the agent's git directory borrows its objects, and its empty place is in the tree. */
  #makeRepository(): void {
    git('init', '-q', '-b', 'main', this.repository)
    writeFileSync(join(this.repository, 'a.txt'), 'one\n')
    git('-C', this.repository, 'add', '.')
    git('-C', this.repository, 'commit', '-qm', 'first')
    const [commit] = git('-C', this.repository, 'rev-parse', 'HEAD').split('\n')
    git('init', '-q', '--bare', this.gitDirectory)
    writeFileSync(join(this.gitDirectory, 'objects/info/alternates'), `${join(this.repository, '.git/objects')}\n`)
    for (const [key, value] of [
      ['core.bare', 'false'],
      ['user.name', 'agent'],
      ['user.email', 'agent@example.com'],
    ] as const) {
      git('--git-dir', this.gitDirectory, 'config', key, value)
    }
    git('--git-dir', this.gitDirectory, 'update-ref', 'refs/heads/work', commit ?? '')
    git('--git-dir', this.gitDirectory, 'symbolic-ref', 'HEAD', 'refs/heads/work')
    git('--git-dir', this.gitDirectory, '--work-tree', this.tree, 'reset', '-q', '--hard')
    mkdirSync(join(this.tree, '.git'))
  }

  get workspace(): WorkspaceView {
    const { uid, gid } = this.who
    return { path: this.tree, gitDirectory: this.gitDirectory, objectStores: [join(this.repository, '.git/objects')], owner: { uid, gid } }
  }

  /** Runs the commands one after the other, each in a sandbox of its own. */
  async enter(
    layers: { readonly filesystem: string; readonly token: string; readonly options?: unknown },
    commands: readonly (readonly string[])[],
    change: { readonly filesystem?: Partial<Policy['filesystem']>; readonly workspace?: Partial<WorkspaceView> } = {},
  ): Promise<readonly EnterResult[]> {
    const script: EnterScript = {
      environment: {
        name: 'test',
        layers: {
          filesystem: layer(layers.filesystem, layers.options),
          token: layer(layers.token),
          network: layer('net-none'),
          interception: layer('intercept-none'),
        },
        degrade: [],
      },
      policy: { ...emptyPolicy, filesystem: { ...emptyPolicy.filesystem, ...change.filesystem } },
      workspace: { ...this.workspace, ...change.workspace },
      commands,
    }
    const answers = (this.#answers ??= this.#start())
    this.#driver?.stdin.write(`${JSON.stringify(script)}\n`)
    const { value, done } = await answers.next()
    if (done === true) throw new Error('the driver ended')
    const { results, unsettled } = JSON.parse(value) as EnterAnswer
    if (unsettled !== 0) throw new Error(`${unsettled} receipts were not settled`)
    return results
  }

  #start(): AsyncIterator<string> {
    const driver = ['--import', 'tsx', join(packageRoot, 'test/support/enter.ts')]
    const [program, ...args] = [...this.who.prefix, process.execPath, ...driver]
    this.#driver = spawn(program ?? '', args, {
      cwd: packageRoot,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: this.home },
    })
    return createInterface({ input: this.#driver.stdout })[Symbol.asyncIterator]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const driver = this.#driver
    if (driver !== undefined) {
      const gone = new Promise((resolve) => driver.once('exit', resolve))
      driver.stdin.end()
      await gone
    }
    rmSync(this.base, { recursive: true, force: true })
  }
}

function layer(plugin: string, options: unknown = {}): EnvironmentSpec['layers']['token'] {
  return { plugin, options }
}

/** Standard output and error of a command that was started, for comparison. */
export function said(result: EnterResult | undefined): { readonly code: number | string | null; readonly text: string } {
  if (result === undefined) return { code: 'missing', text: '' }
  return result.entered
    ? { code: result.exit.code, text: `${result.stdout}${result.stderr}`.trim() }
    : { code: result.code, text: result.message }
}

function git(...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=u', '-c', 'user.email=u@example.com', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  })
}
