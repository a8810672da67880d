import { BulkheadError } from '../../../core/contracts/index.ts'
import type { Filtering } from '../../../plugins/net-wfp/filtering.ts'

export const agentAccount = 'S-1-5-21-1-2-3-1005'
export const user = 'S-1-5-21-1-2-3-1001'

/** Remembers what it was asked for; fails where it is told to. */
export class FakeFiltering implements Filtering {
  /** Walls that are up, in the form `account:port`. */
  readonly walls = new Set<string>()
  readonly log: string[] = []
  readonly granters = new Set<string>()
  fail: string | null = null
  /** The access list cannot even be read. */
  blind = false

  async close(account: string, port: number): Promise<AsyncDisposable> {
    this.#step('close')
    const wall = `${account}:${port}`
    this.walls.add(wall)
    return {
      [Symbol.asyncDispose]: async () => {
        this.#step('open again')
        this.walls.delete(wall)
      },
    }
  }

  user(): string {
    return user
  }

  async granted(who: string): Promise<boolean> {
    if (this.blind) throw denied('FwpmEngineGetSecurityInfo0')
    return this.granters.has(who)
  }

  async grant(who: string): Promise<void> {
    this.#step(`grant ${who}`)
    this.granters.add(who)
  }

  async revoke(who: string): Promise<void> {
    this.#step(`revoke ${who}`)
    this.granters.delete(who)
  }

  #step(name: string): void {
    this.log.push(name)
    if (this.fail === name) throw denied(name)
  }
}

export function denied(operation: string): BulkheadError {
  return new BulkheadError('native_failed', `${operation} failed with EACCES`, { operation, nativeCode: 'EACCES' })
}
