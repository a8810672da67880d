import { setTimeout as delay } from 'node:timers/promises'
import PQueue from 'p-queue'
import type { JobView } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { Logger } from '../contracts/tokens.ts'
import { Board } from './board.ts'
import { claimJob, type Claim } from './claim.ts'
import { readiness } from './needs.ts'
import { adoptOrphans } from './orphans.ts'
import type { Presence } from './presence.ts'

export interface SchedulerParts {
  readonly journal: Journal
  readonly presence: Presence
  readonly runner: { run(claim: Claim, signal: AbortSignal): Promise<void> }
  readonly isAlive: Liveness
  readonly logger: Logger
  /** Undoes what dead processes left behind, before their jobs are started again. */
  recover(): Promise<unknown>
  readonly now?: () => number
  /** How often the journal is asked what other processes did, in milliseconds; default 150. */
  readonly pollMs?: number
}

export interface RunRequest {
  /** Ids of jobs; with them run the jobs that they need. `all`: whatever there is, also what comes meanwhile. */
  readonly jobs: readonly string[] | 'all'
  /** Jobs at work at once over all processes of the repository. */
  readonly concurrency: number
  /** Aborting starts no more jobs and lets those that run end. */
  readonly drain?: AbortSignal
  /** Aborting ends running jobs at once; they go back to the queue. */
  readonly signal?: AbortSignal
}

export interface RunOutcome {
  /** The jobs asked for and those they need, as they are now. */
  readonly jobs: readonly JobView[]
  /** Why it returned before every job was settled. */
  readonly stopped: 'drained' | 'shutdown' | null
}

/** Milliseconds between looks for processes that died. */
const careMs = 1_000

/**
 * Runs jobs of the journal in this process, together with any other process that does the same. The journal is the truth; p-queue only
 * orders and bounds what this process does next and can be emptied and filled again at any time.
 */
export class Scheduler {
  readonly #parts: SchedulerParts

  constructor(parts: SchedulerParts) {
    this.#parts = parts
  }

  /**
   * Resolves when every job asked for is settled (finished, failed, cancelled or further), whoever ran it, or when it was stopped. Rejects
   * when the journal fails; running jobs are stopped first.
   */
  async run(request: RunRequest): Promise<RunOutcome> {
    return await new Run(this.#parts, request).toEnd()
  }
}

class Run {
  readonly #parts: SchedulerParts
  readonly #request: RunRequest
  readonly #board: Board
  readonly #queue: PQueue
  /** Jobs that are in the queue or at work here; those at work have something to abort. */
  readonly #offered = new Map<string, AbortController | null>()
  #scope: ReadonlySet<string> | null = null
  /** Set when there is something to look at, so that a call that comes between two sleeps is not lost. */
  #woken = false
  #wakeSleeper: () => void = () => {}
  #caredAt = -Infinity
  #contended = false
  #broken: { readonly error: unknown } | null = null

  constructor(parts: SchedulerParts, request: RunRequest) {
    this.#parts = parts
    this.#request = request
    this.#board = new Board(parts.journal)
    this.#queue = new PQueue({ concurrency: request.concurrency, autoStart: false })
  }

  async toEnd(): Promise<RunOutcome> {
    const { drain, signal } = this.#request
    const wake = (): void => this.#wake()
    for (const each of [drain, signal]) each?.addEventListener('abort', wake)
    try {
      await this.#loop()
    } finally {
      for (const each of [drain, signal]) each?.removeEventListener('abort', wake)
    }
    this.#board.sync()
    const jobs = this.#board.views().filter((view) => this.#isAsked(view.spec.id))
    const settled = this.#unsettled() === 0
    return { jobs, stopped: settled ? null : signal?.aborted === true ? 'shutdown' : 'drained' }
  }

  async #loop(): Promise<void> {
    for (;;) {
      try {
        await this.#turn()
      } catch (error) {
        this.#broken ??= { error }
      }
      if (this.#isStopping()) {
        this.#empty()
        if (this.#broken !== null || this.#request.signal?.aborted === true) this.#abortAll()
        if (this.#offered.size === 0) break
      } else if (this.#offered.size === 0 && this.#unsettled() === 0) break
      await this.#sleep()
    }
    if (this.#broken !== null) throw this.#broken.error
  }

  /** Looks at the journal and does what follows from it. */
  async #turn(): Promise<void> {
    this.#board.sync()
    this.#scope ??= this.#scopeOf(this.#request.jobs)
    if (this.#isStopping()) return this.#heedCancellations()
    await this.#careForOrphans()
    this.#settleHopeless()
    this.#heedCancellations()
    this.#offer()
  }

  async #careForOrphans(): Promise<void> {
    if (performance.now() - this.#caredAt < careMs) return
    const { journal, isAlive, logger } = this.#parts
    await adoptOrphans({ journal, board: this.#board, isAlive, logger, recover: () => this.#parts.recover() })
    this.#caredAt = performance.now()
  }

  /** Queued jobs that somebody cancelled, or that need a job which will never finish, end here. One may doom the next. */
  #settleHopeless(): void {
    const { journal } = this.#parts
    for (let again = true; again;) {
      again = false
      for (const { view, last, cancelBy } of this.#board.open) {
        if (view.status !== 'queued' || !this.#isAsked(view.spec.id)) continue
        const ready = readiness(view.spec, this.#board.states)
        if (view.cancelRequested) journal.appendIf(view.spec.id, last, 'job.cancelled', { by: cancelBy ?? 'bulkhead' })
        else if (ready.kind === 'blocked') {
          const remedy = 'Remove it, and run it again when what it needs has been mended.'
          journal.appendIf(view.spec.id, last, 'job.failed', { code: 'job_failed', message: ready.reason, remedy, retryAt: null })
        } else continue
        again = true
      }
      if (again) this.#board.sync()
    }
  }

  #heedCancellations(): void {
    for (const [id, controller] of this.#offered) {
      if (this.#board.states.get(id)?.view.cancelRequested === true) controller?.abort('cancelled')
    }
  }

  #offer(): void {
    // From scratch each time, so that priorities and order are those of the journal as it is now.
    this.#empty()
    this.#contended = false
    if (this.#board.paused !== null) return
    const now = (this.#parts.now ?? Date.now)()
    const ready = this.#board.open.filter(({ view: { spec, status, cancelRequested, retryAt } }) => {
      if (status !== 'queued' || cancelRequested || this.#offered.has(spec.id) || !this.#isAsked(spec.id)) return false
      return (retryAt ?? 0) <= now && readiness(spec, this.#board.states).kind === 'ready'
    })
    // No more than can start now: what starts when a job ends is chosen then, by what has become ready meanwhile.
    const most = this.#request.concurrency - this.#offered.size
    for (const { view } of ready.toSorted((a, b) => b.view.spec.priority - a.view.spec.priority).slice(0, most)) {
      this.#offered.set(view.spec.id, null)
      void this.#queue.add(() => this.#work(view.spec.id), { priority: view.spec.priority })
    }
    this.#queue.start()
  }

  #empty(): void {
    this.#queue.pause()
    this.#queue.clear()
    for (const [id, controller] of this.#offered) if (controller === null) this.#offered.delete(id)
  }

  /** Must not reject: nobody listens. */
  async #work(id: string): Promise<void> {
    const { journal, isAlive, presence, runner } = this.#parts
    try {
      const place = { journal, board: this.#board, isAlive, orchestrator: presence.id, concurrency: this.#request.concurrency }
      const claim = claimJob(place, id)
      if (claim === 'full' || claim === 'contended') {
        // The rest of the queue would fare no better; the next turn offers it again.
        this.#contended = claim === 'contended'
        this.#queue.pause()
        return
      }
      if (claim !== 'gone') {
        const controller = new AbortController()
        this.#offered.set(id, controller)
        await runner.run(claim, controller.signal)
      }
      this.#wake()
    } catch (error) {
      this.#broken ??= { error }
      this.#wake()
    } finally {
      this.#offered.delete(id)
    }
  }

  #abortAll(): void {
    for (const controller of this.#offered.values()) controller?.abort('shutdown')
  }

  #wake(): void {
    this.#woken = true
    this.#wakeSleeper()
  }

  /** Until a job ends here, somebody stops us, or it is time to look at the journal again. */
  async #sleep(): Promise<void> {
    if (!this.#woken) {
      const timer = new AbortController()
      const woken = new Promise<void>((resolve) => {
        this.#wakeSleeper = resolve
      })
      const pollMs = this.#contended ? 5 + Math.random() * 15 : (this.#parts.pollMs ?? 150)
      await Promise.race([woken, delay(pollMs, undefined, { signal: timer.signal }).catch(() => {})])
      timer.abort()
    }
    this.#woken = false
  }

  #isStopping(): boolean {
    const { drain, signal } = this.#request
    return this.#broken !== null || drain?.aborted === true || signal?.aborted === true
  }

  #unsettled(): number {
    return this.#board.open.filter(({ view }) => this.#isAsked(view.spec.id)).length
  }

  #isAsked(id: string): boolean {
    return this.#scope === null || this.#scope.has(id)
  }

  /** The jobs asked for and all they need; null: every job. */
  #scopeOf(jobs: readonly string[] | 'all'): ReadonlySet<string> | null {
    if (jobs === 'all') return null
    const scope = new Set<string>()
    const rest = [...jobs]
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) {
      if (scope.has(id)) continue
      scope.add(id)
      rest.push(...(this.#board.states.get(id)?.view.spec.needs ?? []))
    }
    return scope
  }
}
