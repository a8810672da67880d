import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { JobSpec, Journal, Liveness } from '../../core/contracts/index.ts'
import { JobRunner, Presence, Scheduler } from '../../core/scheduler/index.ts'
import { fakeAdapter, FakeAgentRuns } from './fake-agent-runs.ts'
import { FakeWorkspaces } from './fake-workspaces.ts'
import { jobSpec } from './job-spec.ts'
import { isProcessAlive, ownIdentity } from './process-identity.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory, temporaryJournal } from './temporary-journal.ts'

export interface Stage {
  readonly journal: Journal
  readonly agentRuns: FakeAgentRuns
  readonly workspaces: FakeWorkspaces
  readonly presence: Presence
  readonly runner: JobRunner
  readonly scheduler: Scheduler
  readonly recovered: string[]
  readonly isAlive: Liveness
  readonly submit: (...changes: Partial<JobSpec>[]) => JobSpec[]
  /** Types of a job's events, in order, without progress. */
  readonly story: (job: JobSpec) => string[]
}

/** A scheduler with a real journal and fake workspaces and agents. `journal`: of another stage, to work on the same one. */
export function stage(
  options: { readonly journal?: Journal; readonly isAlive?: Liveness; readonly workspaces?: FakeWorkspaces } = {},
): Stage {
  const isAlive = options.isAlive ?? isProcessAlive
  const journal = options.journal ?? temporaryJournal(isAlive).journal
  const workspaces = options.workspaces ?? new FakeWorkspaces(temporaryDirectory())
  const agentRuns = new FakeAgentRuns()
  const presence = new Presence({ journal, self: ownIdentity() })
  onTestFinished(() => presence[Symbol.dispose]())
  const agents = new Map([[fakeAdapter.id, fakeAdapter]])
  const runner = new JobRunner({ journal, workspaces, agentRuns, agents, logger: quiet })
  const recovered: string[] = []
  const recover = async (): Promise<void> => void recovered.push('recovered')
  const scheduler = new Scheduler({ journal, presence, runner, isAlive, logger: quiet, recover, pollMs: 10 })
  return {
    journal,
    agentRuns,
    workspaces,
    presence,
    runner,
    scheduler,
    recovered,
    isAlive,
    submit: (...changes) => {
      const specs = changes.map((change) => jobSpec(change))
      journal.submit(specs)
      return specs
    },
    story: (job) => journal.events({ job: job.id }).map((event) => event.type),
  }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 2) {
    if (waited > 10_000) throw new Error('it never came true')
    await delay(2)
  }
}
