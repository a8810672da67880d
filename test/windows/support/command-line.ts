import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The staged command line, as a user starts it. */
const program = join(process.env['BULKHEAD_STAGE'] ?? '', 'dist', 'cli', 'main.js')

/** A user with a profile and a repository of one commit, and the command line in it. In the profile of the real user, as in real life. */
export class CommandLine implements Disposable {
  readonly profile: string
  readonly repository: string
  readonly variables: NodeJS.ProcessEnv

  /** `configuration`: the user's own file. */
  constructor(configuration: string) {
    mkdirSync(homedir(), { recursive: true })
    this.profile = realpathSync.native(mkdtempSync(join(homedir(), 'voyage ')))
    this.repository = join(this.profile, 'Prøject')
    const folder = (...names: string[]): string => join(this.profile, 'AppData', ...names)
    this.variables = {
      ...process.env,
      USERPROFILE: this.profile,
      APPDATA: folder('Roaming'),
      LOCALAPPDATA: folder('Local'),
      HOME: undefined,
    }
    this.write(join(folder('Roaming'), 'bulkhead', 'bulkhead.yaml'), configuration)
    this.write(join(this.repository, 'README.md'), 'one\ntwo\nthree\n')
    this.write(join(this.repository, 'tools', 'run.sh'), '#!/bin/sh\n')
    this.git('init', '--quiet', '--initial-branch=main')
    this.git('config', 'user.name', 'Ann')
    this.git('config', 'user.email', 'ann@example.com')
    this.git('add', '--all')
    this.git('update-index', '--chmod=+x', 'tools/run.sh')
    this.git('commit', '--quiet', '--message', 'Begin')
  }

  git(...argv: readonly string[]): string {
    return execFileSync('git', argv, { cwd: this.repository, env: this.variables, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** In a console of its own, in which `stdin` receives a Ctrl-C when something is written to it. */
  startInConsole(...argv: readonly string[]): ChildProcess {
    const console = fileURLToPath(new URL('workers/in-console.js', import.meta.url))
    const whole = [console, process.execPath, '--enable-source-maps', program, ...argv]
    return spawn(process.execPath, whole, { cwd: this.repository, env: this.variables, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  start(...argv: readonly string[]): ChildProcess {
    const stdio = ['ignore', 'pipe', 'pipe'] as const
    return spawn(process.execPath, ['--enable-source-maps', program, ...argv], {
      cwd: this.repository,
      env: this.variables,
      stdio: [...stdio],
    })
  }

  async run(...argv: readonly string[]): Promise<Said> {
    const child = this.start(...argv)
    let [out, err] = ['', '']
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, out, err }
  }

  [Symbol.dispose](): void {
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}
