import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileSecurity } from '../../../native/index.ts'
import type { CommandLine } from './command-line.ts'

/** What the agent of a voyage tries outside its workspace, and what came of it: `done`, or the code of the error. */
export interface Tried {
  readonly change: string
  readonly read: string
  readonly child: string
  readonly repository: string
  readonly network: string
  /** `none`: it was told of no gateway. */
  readonly gateway: string
}

/** Without walls everything works: that is the control of every other voyage. */
export const everything: Tried = { change: 'done', read: 'done', child: 'done', repository: 'done', network: 'done', gateway: 'none' }

/** Somebody to connect to, and a file that is nobody’s business. */
export class Bait implements AsyncDisposable {
  readonly #cli: CommandLine
  readonly #server = createServer((socket) => socket.destroy())

  private constructor(cli: CommandLine) {
    this.#cli = cli
    cli.write(this.#secret, 'secret')
  }

  static async lay(cli: CommandLine): Promise<Bait> {
    const bait = new Bait(cli)
    await once(bait.#server.listen(0, '127.0.0.1'), 'listening')
    return bait
  }

  get #secret(): string {
    return join(this.#cli.profile, 'secret.txt')
  }

  /** Ends the agent’s script with a line `tried {...}`. Connections come last: everything before is synchronous. */
  get script(): string {
    const { profile, repository } = this.#cli
    const text = (path: string): string => JSON.stringify(path)
    const { port } = this.#server.address() as AddressInfo
    return `
    const tried = {}
    const attempt = (name, act) => { try { act(); tried[name] = 'done' } catch (error) { tried[name] = String(error.code ?? error.status) } }
    attempt('change', () => fs.writeFileSync(${text(join(profile, 'mine.txt'))}, 'x'))
    attempt('read', () => fs.readFileSync(${text(this.#secret)}))
    const asChild = 'try { require("fs").writeFileSync(process.argv[1], "x") } catch (error) { process.exit(error.code === "EPERM" ? 7 : 8) }'
    attempt('child', () => execFileSync(process.execPath, ['-e', asChild, ${text(join(profile, 'its.txt'))}]))
    attempt('repository', () => fs.appendFileSync(${text(join(repository, '.git', 'config'))}, '# x'))
    const connect = (name, port, next) => {
      const socket = require('net').connect({ host: '127.0.0.1', port })
      const end = (outcome) => { tried[name] = outcome; socket.destroy(); next() }
      socket.once('connect', () => end('done')).once('error', (error) => end(error.code))
    }
    connect('network', ${port}, () => {
      const say = () => console.log('tried ' + JSON.stringify(tried))
      const proxy = process.env.HTTP_PROXY
      if (proxy === undefined) { tried.gateway = 'none'; say() } else connect('gateway', new URL(proxy).port, say)
    })`
  }

  /** Access lists of everything that a job opens, passes or must not touch. */
  lists(): readonly (readonly [string, string | undefined])[] {
    const { profile, repository } = this.#cli
    const below = [[], ['README.md'], ['tools', 'run.sh'], ['.git'], ['.git', 'config'], ['.git', 'objects'], ['.git', 'HEAD']]
    const paths = [profile, this.#secret, ...below.map((names) => join(repository, ...names)), process.execPath]
    return paths.map((path) => [path, fileSecurity().read(path, 'access')?.sddl])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    await once(this.#server, 'close')
  }
}
