import type { AgentConfiguration, Configuration, JobConfiguration } from '../contracts/configuration.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { EnvironmentSpec, JobSpec, JobView } from '../contracts/job.ts'
import { orderByNeeds } from './dag.ts'
import { newJobId } from './job-id.ts'
import { nameJobs } from './names.ts'
import { reservePort } from './ports.ts'

export interface SubmissionFacts {
  /** All jobs of the journal, removed ones too (`deriveJobs`). */
  readonly existing: readonly JobView[]
  /** Resolves a job's base to a full commit hash and its target to `refs/heads/...`; null: the default. */
  resolve(wish: {
    readonly base: string | null
    readonly target: string | null
  }): Promise<{ readonly base: string; readonly target: string }>
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Turns jobs as written into immutable specifications, in an order in which each comes after those it needs. Options of agents and layers
 * are taken as they are: the configuration has validated them. Throws `usage_invalid`, `usage_unknown_job`, `job_cycle` and what
 * `facts.resolve` throws.
 */
export async function buildJobSpecs(
  configuration: Configuration,
  jobs: readonly JobConfiguration[],
  facts: SubmissionFacts,
): Promise<readonly JobSpec[]> {
  const present = facts.existing.filter((view) => !view.removed).map((view) => view.spec)
  const names = nameJobs(jobs, new Set(present.map((spec) => spec.name)))
  const named = new Map(names.map((name, index) => [name, jobs[index] as JobConfiguration]))
  const order = orderOf(named)
  const ids = new Map([...present.map((spec) => [spec.name, spec.id] as const), ...order.map((name) => [name, newJobId()] as const)])
  for (const { id } of present) ids.set(id, id)
  const ports = new Set(present.map((spec) => spec.port))
  const specs: JobSpec[] = []
  for (const name of order) {
    const job = named.get(name) as JobConfiguration
    const port = reservePort(name, ports)
    ports.add(port)
    const { base, target } = await facts.resolve({ base: job.base, target: job.target ?? configuration.target })
    specs.push({
      id: idOf(name, ids),
      name,
      prompt: job.prompt,
      agent: agentOf(configuration, job.agent, name),
      environment: environmentOf(configuration, job.environment, name),
      policy: job.policy ?? configuration.policy,
      needs: job.needs.map((need) => idOf(need, ids, name)),
      priority: job.priority,
      retry: job.retry ?? configuration.retry,
      target,
      base,
      setup: job.setup ?? configuration.setup,
      gates: job.gates ?? configuration.gates,
      port,
      submittedAt: facts.now,
    })
  }
  return specs
}

function orderOf(named: ReadonlyMap<string, JobConfiguration>): readonly string[] {
  const sorted = orderByNeeds(new Map([...named].map(([name, job]) => [name, job.needs])))
  if ('order' in sorted) return sorted.order
  throw new BulkheadError('job_cycle', `Jobs need each other in a circle: ${sorted.cycle.join(' → ')}.`, {
    ...(sorted.cycle[0] === undefined ? {} : { job: sorted.cycle[0] }),
    remedy: 'Remove one of these needs.',
  })
}

function idOf(name: string, ids: ReadonlyMap<string, string>, neededBy?: string): string {
  const id = ids.get(name)
  if (id !== undefined) return id
  throw new BulkheadError('usage_unknown_job', `${neededBy ?? 'A job'} needs ${JSON.stringify(name)}, but there is no such job.`, {
    ...(neededBy === undefined ? {} : { job: neededBy }),
    remedy: 'Name a job of the same file or one that bulkhead ls shows.',
  })
}

function agentOf(configuration: Configuration, wish: string | null, job: string): JobSpec['agent'] {
  const name = wish ?? configuration.agent
  if (name === null) {
    const [known] = Object.keys(configuration.agents)
    if (known === undefined) throw new BulkheadError('usage_invalid', 'No agent is configured.', { remedy: howTo })
    throw new BulkheadError('usage_invalid', `No agent is chosen for ${job}.`, {
      remedy: `Give --agent ${known}, for instance, or set agent in bulkhead.yaml.`,
    })
  }
  const agent = lookUp<AgentConfiguration>(configuration.agents, name, 'agent', job)
  return { name, adapter: agent.adapter, options: agent.options }
}

function environmentOf(configuration: Configuration, wish: string | null, job: string): EnvironmentSpec {
  return lookUp<EnvironmentSpec>(configuration.environments, wish ?? configuration.environment, 'environment', job)
}

const howTo = 'Write one under agents in your own configuration file (bulkhead init makes it; docs/config.md has an example).'

function lookUp<T>(among: Readonly<Record<string, T>>, name: string, what: string, job: string): T {
  // Own properties only: "constructor" is no agent.
  const found = Object.hasOwn(among, name) ? among[name] : undefined
  if (found !== undefined) return found
  const known = Object.keys(among).join(', ')
  throw new BulkheadError('usage_invalid', `There is no ${what} ${JSON.stringify(name)}.`, {
    job,
    remedy: known === '' ? `None is configured; ${howTo}` : `Configured: ${known}.`,
  })
}
