import { join } from 'node:path'
import type { AgentRuns, Journal, Workspaces } from '../../core/contracts/index.ts'
import { ConfinedRuns } from '../../core/agents/runs.ts'
import { builtInEnvironments } from '../../core/config/environments.ts'
import { EnforcementPipeline } from '../../core/enforcement/pipeline.ts'
import { openJournal } from '../../core/journal/index.ts'
import { JobRunner, Landing, Presence, Scheduler } from '../../core/scheduler/index.ts'
import { createHost, createLauncher, isAlive, processIdentity } from '../../native/index.ts'
import { environmentsOf } from '../../plugins/environments.ts'
import { agentAdapters, layerPlugins } from '../../plugins/index.ts'
import { createMergeQueue } from '../../workspaces/index.ts'
import { jobSpec } from './job-spec.ts'
import { quiet } from './quiet.ts'

export interface RealStage extends AsyncDisposable {
  readonly journal: Journal
  readonly presence: Presence
  readonly scheduler: Scheduler
  readonly landing: Landing
  readonly agentRuns: AgentRuns
  readonly recover: () => Promise<readonly string[]>
}

/** Every part is the real one: git, journal, native module, layers of the built-in `linux` environment. */
export function realStage(workspaces: Workspaces): RealStage {
  const { state } = workspaces.repository
  const journal = openJournal({ file: join(state, 'journal.db'), isAlive })
  const presence = new Presence({ journal, self: processIdentity(process.pid) })
  const launcher = createLauncher()
  const host = createHost(launcher)
  const orchestrator = (): string => presence.id
  const enforcement = new EnforcementPipeline({ plugins: layerPlugins, host, launcher, journal, orchestrator, isAlive })
  const agentRuns = new ConfinedRuns({ enforcement, logger: quiet })
  const runner = new JobRunner({ journal, workspaces, agentRuns, agents: agentAdapters, logger: quiet })
  const recover = async (): Promise<readonly string[]> => [...(await workspaces.recover()), ...(await enforcement.recover())]
  const mergeQueue = createMergeQueue(workspaces)
  return {
    journal,
    presence,
    agentRuns,
    recover,
    scheduler: new Scheduler({ journal, presence, runner, isAlive, logger: quiet, recover }),
    landing: new Landing({ journal, presence, workspaces, mergeQueue, agentRuns, isAlive, logger: quiet }),
    [Symbol.asyncDispose]: async () => {
      await launcher[Symbol.asyncDispose]()
      presence[Symbol.dispose]()
      journal[Symbol.dispose]()
    },
  }
}

/** A job whose agent is a shell script, behind all four walls. */
export function shellJob(
  name: string,
  base: string,
  script: string,
  changes: Partial<ReturnType<typeof jobSpec>> = {},
): ReturnType<typeof jobSpec> {
  const environment = builtInEnvironments(environmentsOf('linux'))['linux']
  if (environment === undefined) throw new Error('there is no linux environment')
  const agent = { name: 'shell', adapter: 'agent-command', options: { command: ['sh', '-c', script] } }
  return jobSpec({ name, base, environment, agent, ...changes })
}
