/** Exit codes of shells for a command that a signal ended: 128 + n. */
const signalExits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type StopSignal = keyof typeof signalExits

export interface InterruptOptions {
  /** What SIGTERM begins with: `drain` lets what runs end, and needs one signal more to stop it. */
  readonly term?: 'drain' | 'stop'
  readonly onSignal?: (what: 'drain' | 'stop', signal: StopSignal) => void
}

/**
 * SIGINT and SIGHUP ask for a clean stop; SIGTERM too, or to drain first. A signal after that ends the process at once: the supervisors
 * notice that it is gone and end every sandbox with it.
 */
export class Interrupt implements Disposable {
  readonly #drain = new AbortController()
  readonly #stop = new AbortController()
  readonly #listener: (signal: NodeJS.Signals) => void
  #first: StopSignal | null = null

  constructor({ term = 'stop', onSignal }: InterruptOptions = {}) {
    this.#listener = (received) => {
      const signal = received as StopSignal
      if (this.#stop.signal.aborted) process.exit(signalExits[signal])
      const what = this.#first === null && signal === 'SIGTERM' ? term : 'stop'
      this.#first ??= signal
      onSignal?.(what, signal)
      if (what === 'drain') this.#drain.abort('shutdown')
      else this.#stop.abort('shutdown')
    }
    for (const signal of Object.keys(signalExits)) process.on(signal, this.#listener)
  }

  get drain(): AbortSignal {
    return this.#drain.signal
  }

  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** Exit code for having been stopped; null when nobody asked. */
  get exit(): number | null {
    return this.#first === null ? null : signalExits[this.#first]
  }

  [Symbol.dispose](): void {
    for (const signal of Object.keys(signalExits)) process.off(signal, this.#listener)
  }
}
