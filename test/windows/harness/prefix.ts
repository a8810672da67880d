import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { moveOnce } from './fetch.ts'
import { cache } from './places.ts'
import { run } from './programs.ts'
import { killPrefix, wine, wineEnvironment, wineserver } from './wine.ts'

/** Makes the prefix that all others are copies of, once per version of Wine. Set to Windows 10. */
export async function prefixTemplate(say: (line: string) => void): Promise<string> {
  const version = (await run(...wine('--version'), { env: { WINEDEBUG: '-all' } })).trim().replaceAll(/[^A-Za-z0-9.-]+/g, '_')
  const template = join(cache, `prefix-${version}`)
  if (existsSync(template)) return template
  say(`making a prefix of ${version}`)
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.prefix-'))
  const prefix = join(work, 'prefix')
  mkdirSync(join(prefix, 'home'), { recursive: true })
  const env = wineEnvironment(prefix)
  try {
    await run(...wine('wineboot.exe', '-i'), { env })
    await run(...wine('reg.exe', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'), { env })
    // The registry is written when the last program has ended.
    await run(wineserver, ['-w'], { env })
    forgetServer(prefix)
    moveOnce(prefix, template)
  } finally {
    killPrefix(prefix)
    rmSync(work, { recursive: true, force: true })
  }
  return template
}

/**
 * Debian's Wine keeps the sockets of a prefix in `wine-XXXXXX` below /run/user/<uid> or /tmp, and that name in this file of the prefix. A copy
 * must not have the name of the original.
 */
const serverName = 'wineserver'

function serverFolder(prefix: string): string | undefined {
  try {
    const name = readFileSync(join(prefix, serverName), 'latin1')
    if (!/^wine-[A-Za-z0-9]{6}$/.test(name)) return undefined
    return [`/run/user/${process.getuid?.() ?? 0}`, '/tmp'].map((base) => join(base, name)).find(existsSync)
  } catch {
    return undefined
  }
}

/**
 * Waits for the server's socket. A program that comes earlier would make the directory at the same time as the server, and one of the two
 * would give up (“fixed a temporary directory error, please try running the same command again”).
 */
async function listening(prefix: string): Promise<void> {
  const { dev, ino } = statSync(prefix)
  const socket = join(`server-${dev.toString(16)}-${ino.toString(16)}`, 'socket')
  for (let waited = 0; waited < 30_000; waited += 20) {
    const folder = serverFolder(prefix)
    if (folder !== undefined && existsSync(join(folder, socket))) return
    await sleep(20)
  }
}

function forgetServer(prefix: string): void {
  const folder = serverFolder(prefix)
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  rmSync(join(prefix, serverName), { force: true })
}

/** A throwaway prefix with a running wineserver. */
export class Prefix implements AsyncDisposable {
  readonly path: string
  readonly #server: ChildProcess
  #crash: string | undefined
  #closing = false
  /** Libraries of Wine's own that were put aside, by name. */
  readonly #aside = new Set<string>()

  private constructor(path: string, server: ChildProcess) {
    this.path = path
    this.#server = server
    server.on('exit', (code, signal) => {
      if (!this.#closing) this.#crash = signal ?? `exit ${code}`
    })
  }

  static async create(template: string, path: string): Promise<Prefix> {
    // By cp: the 700 MB are copied inside the kernel, and links to the outside stay links.
    await run('cp', ['-a', template, path])
    rmSync(join(path, serverName), { force: true })
    // In the foreground, so that its death is noticed; persistent, so that only we end it.
    const server = spawn(wineserver, ['-f', '-p'], { env: wineEnvironment(path), stdio: 'ignore' })
    await listening(path)
    return new Prefix(path, server)
  }

  /** How the wineserver ended by itself, if it did: everything in the prefix is undefined then. */
  get crash(): string | undefined {
    return this.#crash
  }

  /** Puts the libraries of `folder` in the place of Wine's own; null: Wine's own again. Between files, when nobody has them loaded. */
  wear(folder: string | null): void {
    const system = join(this.path, 'drive_c', 'windows', 'system32')
    for (const name of this.#aside) renameSync(join(system, `${name}.wine`), join(system, name))
    this.#aside.clear()
    for (const name of folder === null ? [] : readdirSync(folder)) {
      renameSync(join(system, name), join(system, `${name}.wine`))
      this.#aside.add(name)
      copyFileSync(join(folder ?? '', name), join(system, name))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeNow()
    await run('rm', ['-rf', this.path])
  }

  /** Leaves the files. */
  closeNow(): void {
    this.#closing = true
    this.#server.kill('SIGKILL')
    killPrefix(this.path)
    forgetServer(this.path)
  }
}
