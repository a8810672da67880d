import type { Journal, OrchestratorRecord } from '../contracts/journal.ts'

export interface PresenceOptions {
  readonly journal: Journal
  readonly self: OrchestratorRecord
  /** Milliseconds between heartbeats; default 5000. */
  readonly everyMs?: number
}

/** This process in the journal: registered at the first use of its id, kept alive by a timer, gone at dispose. One per process. */
export class Presence implements Disposable {
  readonly #options: PresenceOptions
  #id: string | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Names this process in events, receipts and locks. */
  get id(): string {
    this.#id ??= this.#register()
    return this.#id
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    if (this.#id === null) return
    this.#options.journal.unregister(this.#id)
    this.#id = null
  }

  #register(): string {
    const { journal, self, everyMs = 5_000 } = this.#options
    const id = journal.register(self)
    this.#timer = setInterval(() => {
      try {
        journal.heartbeat(id)
      } catch {
        // Liveness is decided by the process itself; the heartbeat is for people to see and may come late.
      }
    }, everyMs)
    this.#timer.unref()
    return id
  }
}
