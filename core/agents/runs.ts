import type { AgentObserver, AgentRunRequest, AgentRunResult, AgentRuns } from '../contracts/agent.ts'
import type { Enforced, Enforcement } from '../contracts/enforcement.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { Logger } from '../contracts/tokens.ts'
import { OutputLog } from './output-log.ts'
import { makeScratch } from './scratch.ts'
import { abortCause, supervise } from './supervise.ts'

export interface ConfinedRunsParts {
  readonly enforcement: Enforcement
  readonly logger: Logger
  /** Milliseconds between SIGTERM and the end of the whole tree. */
  readonly graceMs?: number
}

/**
 * Runs commands behind the walls. See `AgentRuns` for what it promises. An abort that comes before the command was started is a result as
 * well: nothing has run, and its reason says why. A log that can no longer be written ends the tree and rejects.
 */
export class ConfinedRuns implements AgentRuns {
  readonly #parts: ConfinedRunsParts

  constructor(parts: ConfinedRunsParts) {
    this.#parts = parts
  }

  prepare(...workspace: Parameters<AgentRuns['prepare']>): Promise<void> {
    return this.#parts.enforcement.prepare(...workspace)
  }

  async run(request: AgentRunRequest): Promise<AgentRunResult> {
    if (request.signal.aborted) return neverStarted(request.signal)
    const log = await OutputLog.open(request.logFile)
    try {
      const scratch = await makeScratch(request.scratch, request.command.files)
      try {
        return await this.#confined(request, log)
      } finally {
        await this.#cleanUp(request, 'the scratch directory', scratch)
      }
    } finally {
      await this.#cleanUp(request, 'the log', log)
    }
  }

  async #confined(request: AgentRunRequest, log: OutputLog): Promise<AgentRunResult> {
    const { signal, policy, command } = request
    const observer = this.#guarded(request)
    const enforced = await this.#enter(request, observer)
    if (enforced === undefined) return neverStarted(signal)
    try {
      observer.prepared(enforced.plan)
      observer.verified(enforced.evidence)
      if (signal.aborted) return neverStarted(signal)
      const { sandbox } = enforced
      const { limits } = policy
      const graceMs = this.#parts.graceMs ?? 5_000
      return await supervise({ sandbox, stdin: command.stdin, limits, log, signal, graceMs, started: observer.started })
    } finally {
      await this.#cleanUp(request, 'the layers', enforced)
    }
  }

  /** Undefined: stopped before anything ran. */
  async #enter(request: AgentRunRequest, observer: GuardedObserver): Promise<Enforced | undefined> {
    const { job, environment, policy, workspace, command, variables, scratch, signal } = request
    try {
      return await this.#parts.enforcement.enter({
        job,
        environment,
        policy: { ...policy, filesystem: { ...policy.filesystem, read: [...policy.filesystem.read, scratch] } },
        workspace,
        command: { argv: command.argv, directory: workspace.path, environment: { ...command.environment, ...variables } },
        stdio: { kind: 'pipes' },
        signal,
        onDenial: observer.denied,
        ...(observer.asked !== undefined && { onQuestion: observer.asked }),
      })
    } catch (error) {
      if (signal.aborted && BulkheadError.is(error) && error.code === 'interrupted') return undefined
      throw error
    }
  }

  /** An observer that throws is a defect, but no reason to lose a running agent. */
  #guarded({ observer, job }: AgentRunRequest): GuardedObserver {
    const tell = (work: () => void): void => {
      try {
        work()
      } catch (error) {
        this.#parts.logger.error({ job, error: String(error) }, 'an observer of a run failed')
      }
    }
    return {
      prepared: (plan) => tell(() => observer.prepared?.(plan)),
      verified: (evidence) => tell(() => observer.verified?.(evidence)),
      started: (process, control) => tell(() => observer.started?.(process, control)),
      denied: (denial) => tell(() => observer.denied?.(denial)),
      asked: observer.asked,
    }
  }

  /** The run has its result by now; what cannot be cleaned up is told, and layers keep their receipts for the next start. */
  async #cleanUp({ job }: AgentRunRequest, what: string, left: AsyncDisposable): Promise<void> {
    try {
      await left[Symbol.asyncDispose]()
    } catch (error) {
      this.#parts.logger.error({ job, error: BulkheadError.from(error).message }, `could not clean up ${what}`)
    }
  }
}

/** What may be asked stays as it is: a failure is a no, and the layers see to that. */
type GuardedObserver = Required<Omit<AgentObserver, 'asked'>> & { readonly asked: AgentObserver['asked'] | undefined }

function neverStarted(signal: AbortSignal): AgentRunResult {
  return { code: null, signal: null, reason: abortCause(signal), outputBytes: 0, durationMs: 0 }
}
