import type { AgentObserver, RunControl } from '../contracts/agent.ts'
import type { ChangeCounts, EventPayloads, EventType } from '../contracts/event.ts'
import type { Journal } from '../contracts/journal.ts'
import { Questions } from './questions.ts'

/** Writes what is observed of an attempt. When the journal fails, the attempt is stopped: nothing may run unrecorded. */
export class Notes {
  readonly signal: AbortSignal
  readonly #stop = new AbortController()
  readonly #journal: Journal
  readonly #job: string
  readonly #questions: Questions
  #broken: unknown
  #control: RunControl | undefined
  #counts = ''

  constructor(journal: Journal, job: string, signal: AbortSignal) {
    this.#journal = journal
    this.#job = job
    this.signal = AbortSignal.any([signal, this.#stop.signal])
    this.#questions = new Questions({ journal, job, append: (type, data) => this.append(type, data) })
  }

  append<T extends EventType>(type: T, data: EventPayloads[T]): void {
    if (this.#broken !== undefined) return
    try {
      this.#journal.append(this.#job, type, data)
    } catch (error) {
      this.#broken = error
      this.#stop.abort('shutdown')
    }
  }

  changed(counts: ChangeCounts): void {
    this.#control?.touch()
    const text = JSON.stringify(counts)
    if (text === this.#counts) return
    this.#counts = text
    this.append('job.changed', counts)
  }

  /** `isAgent`: its start is the job's start; a setup command is preparation. */
  observer(about: { readonly workspace: string; readonly base: string }, isAgent: boolean): AgentObserver {
    return {
      prepared: (plan) => this.append('job.prepared', { ...about, plans: [...plan.layers], degraded: [...plan.degraded] }),
      verified: (evidence) => this.append('job.verified', { evidence: [...evidence] }),
      started: (process, control) => {
        this.#control = control
        if (isAgent) this.append('job.started', { pid: process.pid, startTime: process.startTime })
      },
      denied: (denial) => this.append('job.denial', denial),
      // A setup command's questions come before the job runs, when nobody looks yet.
      ...(isAgent && { asked: (question, signal) => this.#ask(question, signal) }),
    }
  }

  /** A person who thinks is no stall. */
  async #ask(...question: Parameters<Questions['ask']>): Promise<boolean> {
    const allowed = await this.#questions.ask(question[0], AbortSignal.any([question[1], this.signal]))
    this.#control?.touch()
    return allowed
  }

  throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken as Error
  }
}
