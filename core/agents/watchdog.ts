/** setTimeout fires at once beyond this (a 32-bit signed number of milliseconds). */
const longestTimer = 2 ** 31 - 1

export interface WatchLimits {
  /** Milliseconds since the watchdog began; null: not limited. */
  readonly timeMs: number | null
  /** Milliseconds since the last `touch`; null: not limited. */
  readonly stallMs: number | null
}

/**
 * Calls `onLimit` once, with the limit that was reached first. Uses the monotonic clock, so that changing the machine's time ends no job.
 */
export class Watchdog implements Disposable {
  readonly #limits: WatchLimits
  readonly #onLimit: (limit: 'time' | 'stall') => void
  readonly #begun = performance.now()
  #touched = this.#begun
  #timer: NodeJS.Timeout | undefined

  constructor(limits: WatchLimits, onLimit: (limit: 'time' | 'stall') => void) {
    this.#limits = limits
    this.#onLimit = onLimit
    this.#arm()
  }

  /** Cheap enough for every chunk of output: it moves no timer. */
  touch(): void {
    this.#touched = performance.now()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  /** Sleeps until the nearest deadline, and looks again then, because `touch` may have moved it. */
  #arm(): void {
    const { timeMs, stallMs } = this.#limits
    const time = timeMs === null ? Infinity : this.#begun + timeMs
    const stall = stallMs === null ? Infinity : this.#touched + stallMs
    const deadline = Math.min(time, stall)
    if (deadline === Infinity) return
    const left = deadline - performance.now()
    if (left <= 0) this.#onLimit(time <= stall ? 'time' : 'stall')
    else this.#timer = setTimeout(() => this.#arm(), Math.min(Math.ceil(left), longestTimer))
  }
}
