import { appendFileSync } from 'node:fs'
import type {
  AgentAdapter,
  AgentRunRequest,
  AgentRunResult,
  AgentRuns,
  EmptyWorkspace,
  EnvironmentSpec,
} from '../../core/contracts/index.ts'
import { z } from 'zod'

export const exited = (code: number): AgentRunResult => ({ code, signal: null, reason: 'exited', outputBytes: 0, durationMs: 1 })

/** What the fake agent does; its request says which command it is. */
export type Behaviour = (request: AgentRunRequest) => Promise<AgentRunResult> | AgentRunResult

/** Runs nothing: calls `behaviour` between the observer's calls, and counts how many are at work at once. */
export class FakeAgentRuns implements AgentRuns {
  readonly requests: AgentRunRequest[] = []
  behaviour: Behaviour
  now = 0
  most = 0

  constructor(behaviour: Behaviour = () => exited(0)) {
    this.behaviour = behaviour
  }

  readonly preparations: (readonly [environment: EnvironmentSpec, directory: EmptyWorkspace])[] = []
  /** Thrown by the next preparations. */
  prepareFails: Error | undefined

  async prepare(...preparation: readonly [EnvironmentSpec, EmptyWorkspace]): Promise<void> {
    this.preparations.push(preparation)
    if (this.prepareFails !== undefined) throw this.prepareFails
  }

  async run(request: AgentRunRequest): Promise<AgentRunResult> {
    this.requests.push(request)
    this.now += 1
    this.most = Math.max(this.most, this.now)
    try {
      request.observer.prepared?.({
        layers: [{ plugin: 'fs-x', layer: 'filesystem', tier: 'full', enforces: [], unsupported: [], steps: [], data: null }],
        degraded: [],
      })
      request.observer.verified?.([{ claim: 'outside-unreadable', held: true, detail: 'ENOENT' }])
      request.observer.started?.({ pid: 1234, startTime: '5' }, { touch: () => {} })
      return await this.behaviour(request)
    } finally {
      this.now -= 1
    }
  }
}

export function writeLog(request: AgentRunRequest, text: string): void {
  appendFileSync(request.logFile, text)
}

/** Resolves as a real run does when it is aborted; never otherwise. */
export function untilAborted({ signal }: AgentRunRequest): Promise<AgentRunResult> {
  return new Promise((resolve) => {
    const end = (): void => {
      const reason = signal.reason === 'shutdown' ? 'shutdown' : 'cancelled'
      resolve({ code: null, signal: 'SIGKILL', reason, outputBytes: 0, durationMs: 1 })
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

export const fakeAdapter: AgentAdapter = {
  id: 'agent-fake',
  contract: 1,
  options: z.unknown(),
  command: (_, task) => ({ argv: ['agent', task.prompt], environment: {}, stdin: null, files: {} }),
}
