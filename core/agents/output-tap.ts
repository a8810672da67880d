import type { Readable } from 'node:stream'
import type { OutputLog } from './output-log.ts'

export interface TapEvents {
  onOutput(): void
  /** Once, at the first byte beyond the limit. */
  onExceeded(): void
  /** Once: the log cannot be written any more. */
  onFailure(): void
}

/**
 * Takes the output of a run into its log. Reads no faster than the log can be written, so a flood fills the agent's pipe and not our
 * memory. Beyond the limit, or when the log fails, output is still read (a full pipe would keep the tree from ending) but dropped.
 */
export class OutputTap {
  readonly #log: OutputLog
  readonly #limit: number
  readonly #events: TapEvents
  #bytes = 0
  #exceeded = false
  #failure: unknown

  constructor(log: OutputLog, limit: number | null, events: TapEvents) {
    this.#log = log
    this.#limit = limit ?? Infinity
    this.#events = events
  }

  /** Bytes that were logged. */
  get bytes(): number {
    return this.#bytes
  }

  /** What kept the log from being complete; undefined when it is. */
  get failure(): unknown {
    return this.#failure
  }

  /** Resolves at the end of the stream, also when it breaks off. */
  async drain(stream: Readable): Promise<void> {
    try {
      for await (const chunk of stream) await this.#take(chunk as Uint8Array)
    } catch {
      // The far end is gone; what came before is in the log.
    }
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#events.onOutput()
    if (this.#exceeded || this.#failure !== undefined) return
    const room = this.#limit - this.#bytes
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk
    // Counted before the write, so that the other stream cannot take the same room meanwhile.
    this.#bytes += kept.length
    if (kept.length < chunk.length) {
      this.#exceeded = true
      this.#events.onExceeded()
    }
    try {
      await this.#log.append(kept)
    } catch (error) {
      if (this.#failure === undefined) {
        this.#failure = error
        this.#events.onFailure()
      }
    }
  }
}
