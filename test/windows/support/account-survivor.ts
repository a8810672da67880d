import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { AgentAccount } from '../../../core/contracts/index.ts'
import { localAccounts } from '../../../native/index.ts'
import { accountSetup } from '../../../plugins/token-account/setup.ts'
import { SetupDesk } from './agent-accounts.ts'
import { selftest } from './confined.ts'

/** A process that runs under an agent account with no wall around it, as one that left its job would. */
export class Survivor implements Disposable {
  readonly pid: number
  readonly #outer: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(outer: ChildProcess, pid: number) {
    this.#outer = outer
    this.pid = pid
    this.#ended = once(outer, 'exit')
  }

  /** `how`: a verb of `accounts.exe`. Bulkhead has given the account a new password by the time this returns, as it does when it repairs one. */
  static async start({ name }: AgentAccount, how: 'linger' | 'linger-closed'): Promise<Survivor> {
    execFileSync(selftest('accounts'), [`user-password|${name}|known-1`])
    const outer = spawn(selftest('accounts'), [`run|${name}|known-1|${selftest('accounts')} ${how}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = await pidOf(outer)
    localAccounts().show(name)
    await accountSetup().install(new SetupDesk().context(null))
    return new Survivor(outer, pid)
  }

  get lives(): boolean {
    return this.#outer.exitCode === null
  }

  /** Resolves when it is gone. */
  async ended(): Promise<void> {
    await this.#ended
  }

  [Symbol.dispose](): void {
    if (this.lives) process.kill(this.pid)
  }
}

/** Once it lingers. */
async function pidOf(outer: ChildProcess): Promise<number> {
  let said = ''
  for await (const piece of outer.stdout ?? []) {
    said += String(piece)
    const found = /pid (\d+)[^]*lingers/.exec(said)
    if (found) return Number(found[1])
  }
  throw new Error(`no process under the account: ${said}`)
}
