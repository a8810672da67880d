import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CommitMessage, MergeQueue, Workspace, Workspaces } from '../../core/contracts/workspace.ts'
import { createMergeQueue } from '../../workspaces/index.ts'
import { openAt } from './open-workspaces.ts'

/** Plain git as a person uses it: discovers, runs hooks and filters. No configuration of the machine. */
export function naiveGit(directory: string, args: readonly string[], environment: Record<string, string> = {}): string {
  return execFileSync('git', args, {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...environment,
    },
  })
}

/** The same where failing is part of the test. */
export function tryGit(directory: string, args: readonly string[], environment: Record<string, string> = {}): number | null {
  return spawnSync('git', args, {
    cwd: directory,
    stdio: 'ignore',
    timeout: 10_000,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...environment,
    },
  }).status
}

/** Content of a file; `link` makes a symbolic link, `executable` sets the bit. */
export type FileContent = string | Buffer | { readonly link: string } | { readonly executable: string }

export function writeFiles(directory: string, files: Readonly<Record<string, FileContent>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    rmSync(file, { force: true, recursive: true })
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(file, content)
    else if ('link' in content) symlinkSync(content.link, file)
    else {
      writeFileSync(file, content.executable)
      chmodSync(file, 0o755)
    }
  }
}

export function commitAll(root: string, subject: string): string {
  naiveGit(root, ['add', '-A'])
  naiveGit(root, ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', 'commit', '-q', '--allow-empty', '-m', subject])
  return naiveGit(root, ['rev-parse', 'HEAD']).trim()
}

export interface TestRepository extends Disposable {
  /** Holds everything of the test: checkout, state, canaries. */
  readonly area: string
  readonly root: string
  readonly state: string
  readonly base: string
  readonly environment: Record<string, string>
  open(): Promise<Workspaces>
}

export function testRepository(
  files: Readonly<Record<string, FileContent>> = { 'README.md': 'one\ntwo\nthree\n', 'src/a.txt': 'a\n' },
): TestRepository {
  const area = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-git-')))
  const root = join(area, 'project')
  mkdirSync(root)
  naiveGit(root, ['init', '-q', '-b', 'main'])
  writeFiles(root, files)
  const base = commitAll(root, 'first')
  const PATH = process.env['PATH'] ?? ''
  const environment = { PATH, HOME: join(area, 'home'), GIT_CONFIG_NOSYSTEM: '1', BULKHEAD_STATE: join(area, 'state') }
  return {
    area,
    root,
    state: environment.BULKHEAD_STATE,
    base,
    environment,
    open: () => openAt(root, environment),
    [Symbol.dispose]: () => {
      spawnSync('chmod', ['-R', 'u+rwX', area], { stdio: 'ignore' })
      rmSync(area, { recursive: true, force: true })
    },
  }
}

/** Runs git as the agent does inside the walls, where its git directory is shown as `<tree>/.git`. */
export function agentGit(workspace: Workspace, args: readonly string[]): string {
  return naiveGit(workspace.path, args, { GIT_DIR: workspace.gitDirectory ?? '', GIT_WORK_TREE: workspace.path })
}

export const message = (subject = 'work', trailers: Record<string, string> = {}): CommitMessage => ({ subject, body: '', trailers })

export interface Flow {
  readonly workspaces: Workspaces
  readonly queue: MergeQueue
  readonly workspace: Workspace
}

/** A workspace named `job` on the repository's first commit. */
export async function startFlow(repository: TestRepository, name = 'job'): Promise<Flow> {
  const workspaces = await repository.open()
  const workspace = await workspaces.create({ name, base: repository.base, include: false })
  return { workspaces, queue: createMergeQueue(workspaces), workspace }
}

/** Lands a snapshot of `name` on main with no gates. */
export function landRequest(repository: TestRepository, snapshot: { commit: string; tree: string }, name = 'job') {
  return {
    job: `job_${name.padEnd(12, '0')}`,
    name,
    commit: snapshot.commit,
    tree: snapshot.tree,
    base: repository.base,
    target: 'refs/heads/main',
    message: message(`Land ${name}`),
    check: async () => {},
  }
}

/** A FIFO: opening it for reading waits for a writer. */
export function namedPipe(path: string): void {
  const program = 'mkfifo'
  const { status } = spawnSync(program, ['--', path])
  if (status !== 0) throw new Error(`mkfifo ${path} failed`)
}
