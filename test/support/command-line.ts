import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { runCommandLine } from '../../core/cli/program.ts'
import type { Terminal } from '../../core/cli/terminal.ts'
import { packageRoot } from './host.ts'

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A home and a repository with one commit, and the command line in them. */
export interface CliWorld {
  readonly home: string
  readonly repository: string
  readonly variables: NodeJS.ProcessEnv
  /** In this process, as if piped. */
  run(...argv: readonly string[]): Promise<Said>
  git(...argv: readonly string[]): string
  /** The user's own configuration. */
  configure(text: string): void
}

const made: string[] = []
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true })
})

/** Not below /tmp, which every sandbox has of its own. */
export function cliWorld(): CliWorld {
  const root = realpathSync(mkdtempSync('/var/tmp/bulkhead-cli-'))
  made.push(root)
  const [home, repository] = [join(root, 'home'), join(root, 'repo')]
  mkdirSync(home)
  mkdirSync(repository)
  const variables = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  }
  const git = (...argv: readonly string[]): string => execFileSync('git', argv, { cwd: repository, env: variables, encoding: 'utf8' })
  git('init', '--quiet', '--initial-branch=main')
  git('config', 'user.name', 'A')
  git('config', 'user.email', 'a@example.com')
  writeFileSync(join(repository, 'a.txt'), 'a\n')
  git('add', '.')
  git('commit', '--quiet', '--message', 'Begin')
  return {
    home,
    repository,
    variables,
    git,
    run: (...argv) => runInProcess(argv, variables, repository),
    configure(text) {
      mkdirSync(join(home, '.config/bulkhead'), { recursive: true })
      writeFileSync(join(home, '.config/bulkhead/bulkhead.yaml'), text, { mode: 0o600 })
    },
  }
}

/** An agent whose prompt is a shell script. */
export const shellAgent = 'agents: {sh: {adapter: agent-command, command: [sh, -ec, "{prompt}"]}}\n'

export async function runInProcess(argv: readonly string[], variables: NodeJS.ProcessEnv, directory: string): Promise<Said> {
  let [out, err] = ['', '']
  const terminal: Terminal = {
    live: false,
    columns: 80,
    out: (line) => void (out += `${line}\n`),
    note: (line) => void (err += `${line}\n`),
    json: (value) => void (out += `${JSON.stringify(value)}\n`),
    raw: (text) => void (out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')),
  }
  const code = await runCommandLine(argv, { terminal, variables, directory })
  return { code, out, err }
}

/** The command line as a process of its own. */
export function spawnCli(argv: readonly string[], options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): ChildProcess {
  const main = join(packageRoot, 'core/cli/main.ts')
  const tsx = join(packageRoot, 'node_modules/tsx/dist/loader.mjs')
  return spawn(process.execPath, ['--import', tsx, main, ...argv], { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
}

export async function finished(child: ChildProcess, input = ''): Promise<Said & { readonly signal: string | null }> {
  let [out, err] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
  child.stdin?.end(input)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...end) => resolve(end))
  })
  return { code: code ?? -1, out, err, signal }
}
