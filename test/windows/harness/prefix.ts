import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { moveOnce } from './fetch.ts'
import { cache } from './places.ts'
import { run } from './programs.ts'
import { killPrefix, wine, wineEnvironment, wineserver } from './wine.ts'

/** Makes the prefix that all others are copies of, once per version of Wine. Set to Windows 10. */
export async function prefixTemplate(say: (line: string) => void): Promise<string> {
  const version = (await run(wine, ['--version'], { env: { WINEDEBUG: '-all' } })).trim().replaceAll(/[^A-Za-z0-9.-]+/g, '_')
  const template = join(cache, `prefix-${version}`)
  if (existsSync(template)) return template
  say(`making a prefix of ${version}`)
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.prefix-'))
  const prefix = join(work, 'prefix')
  mkdirSync(join(prefix, 'home'), { recursive: true })
  const env = wineEnvironment(prefix)
  try {
    await run(wine, ['wineboot.exe', '-i'], { env })
    await run(wine, ['reg.exe', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'], { env })
    // The registry is written when the last program has ended.
    await run(wineserver, ['-w'], { env })
    moveOnce(prefix, template)
  } finally {
    killPrefix(prefix)
    rmSync(work, { recursive: true, force: true })
  }
  return template
}

/** A throwaway prefix with a running wineserver. */
export class Prefix implements AsyncDisposable {
  readonly path: string
  readonly #server: ChildProcess
  #crashed = false
  #closing = false
  /** Libraries of Wine's own that were put aside, by name. */
  readonly #aside = new Set<string>()

  private constructor(path: string, server: ChildProcess) {
    this.path = path
    this.#server = server
    server.on('exit', () => (this.#crashed = !this.#closing))
  }

  static async create(template: string, path: string): Promise<Prefix> {
    // By cp: the 700 MB are copied inside the kernel, and links to the outside stay links.
    await run('cp', ['-a', template, path])
    // In the foreground, so that its death is noticed; persistent, so that only we end it.
    const server = spawn(wineserver, ['-f', '-p'], { env: wineEnvironment(path), stdio: 'ignore' })
    return new Prefix(path, server)
  }

  /** True when the wineserver died by itself: everything in the prefix is then undefined. */
  get crashed(): boolean {
    return this.#crashed
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
  }
}
