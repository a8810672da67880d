import type { ExitReason } from '../contracts/event.ts'
import type { Exit, Sandbox } from '../contracts/sandbox.ts'

/** Why Bulkhead itself ends a run. */
export type EndCause = Exclude<ExitReason, 'exited' | 'rule'>

/**
 * Ends the process tree: SIGTERM to the command, and after the grace everything that is left. Going over the output limit gets no grace,
 * since that only makes more output.
 */
export class Ending implements Disposable {
  readonly #sandbox: Sandbox
  readonly #graceMs: number
  #cause: EndCause | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(sandbox: Sandbox, graceMs: number) {
    this.#sandbox = sandbox
    this.#graceMs = graceMs
  }

  /** The first cause stays the reason; a later one can only make the end come sooner. */
  end(cause: EndCause): void {
    const first = this.#cause === undefined
    this.#cause ??= cause
    if (cause === 'output') this.kill()
    else if (first) this.#terminate()
  }

  /** At once and without a reason of its own. */
  kill(): void {
    clearTimeout(this.#timer)
    this.#sandbox.kill()
  }

  /** A rule of the policy that ended the job is never hidden by something that happened at the same time. */
  reason(exit: Exit): ExitReason {
    if (exit.killedByRule !== null) return 'rule'
    return this.#cause ?? 'exited'
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #terminate(): void {
    this.#timer = setTimeout(() => this.kill(), this.#graceMs)
    try {
      this.#sandbox.signal('SIGTERM')
    } catch {
      // The word cannot be given (the command is gone, its children are not): nothing to wait for.
      this.kill()
    }
  }
}
