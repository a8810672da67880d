import { setTimeout as sleep } from 'node:timers/promises'
import type { EventPayloads, EventType } from '../contracts/event.ts'
import type { Journal } from '../contracts/journal.ts'
import type { Question } from '../contracts/sandbox.ts'

/** More at once are answered no: a person cannot follow them, and an agent must not be able to flood one. */
const mostOpen = 16

export interface QuestionParts {
  readonly journal: Pick<Journal, 'events'>
  readonly job: string
  readonly append: <T extends EventType>(type: T, data: EventPayloads[T]) => void
  /** Milliseconds between two looks at the journal. */
  readonly pollMs?: number
}

/** The calls of one job's agent that wait for a yes or no. Whoever answers does so through the journal, from whatever process. */
export class Questions {
  readonly #parts: QuestionParts
  readonly #open = new Set<number>()
  #next: number | undefined

  constructor(parts: QuestionParts) {
    this.#parts = parts
  }

  /** `ApplyContext.ask`. */
  async ask({ on, object, program, rule }: Question, signal: AbortSignal): Promise<boolean> {
    if (this.#open.size >= mostOpen || signal.aborted) return false
    const question = (this.#next ??= this.#firstUnused())
    this.#next++
    this.#open.add(question)
    try {
      this.#parts.append('job.asked', { question, on, object, program, rule })
      return await this.#answer(question, signal)
    } finally {
      this.#open.delete(question)
    }
  }

  async #answer(question: number, signal: AbortSignal): Promise<boolean> {
    for (let after = 0; !signal.aborted;) {
      for (const event of this.#parts.journal.events({ job: this.#parts.job, after })) {
        after = event.sequence
        if (event.type === 'job.answered' && event.data.question === question) return event.data.allow
      }
      await sleep(this.#parts.pollMs ?? 150, undefined, { signal }).catch(() => undefined)
    }
    this.#parts.append('job.answered', { question, allow: false, by: 'bulkhead' })
    return false
  }

  /** Numbers go on where earlier attempts of the job stopped. */
  #firstUnused(): number {
    const events = this.#parts.journal.events({ job: this.#parts.job })
    return 1 + Math.max(0, ...events.map((event) => (event.type === 'job.asked' ? event.data.question : 0)))
  }
}
