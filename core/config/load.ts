import { lstatSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import type { BuiltInEnvironments, Configuration, JobConfiguration } from '../contracts/configuration.ts'
import { BulkheadError } from '../contracts/error.ts'
import { type AgentAdapters, resolveAgents } from './agents.ts'
import { isWithin, realPrefix } from './canonical-path.ts'
import { defaultPolicy, defaultRetry } from './defaults.ts'
import { builtInEnvironments, type LayerPlugins, writtenEnvironments } from './environments.ts'
import { explain } from './explain.ts'
import { checkEnvironment, type JobScope, resolveGates, resolveJobs, resolveRetry, unknownName, widened } from './jobs.ts'
import { toJsonSchema } from './json-schema.ts'
import { configurationFileName, type Surroundings, usualUserFile, userFile } from './locate.ts'
import { narrow } from './narrow.ts'
import { applyPatch, overlaps, policyPatch } from './policy-patch.ts'
import { type Problem, refuse } from './problem.ts'
import { configurationSchema, jobsFileSchema, type WrittenConfiguration } from './schema.ts'
import { problemAt, type YamlFile } from './located.ts'
import { readYamlFile } from './yaml-file.ts'

export interface LoadRequest {
  /** `--config`: the user's own file; null: the usual one. */
  readonly file: string | null
  /** `--environment`; null: as configured. */
  readonly environment: string | null
  readonly surroundings: Surroundings
  /** Top directory of the main checkout; null where there is no repository. */
  readonly repository: string | null
  /** Directories and files that Bulkhead rests on, so that no policy may let agents write there. */
  readonly own: readonly string[]
  readonly environments: BuiltInEnvironments
  readonly layers: LayerPlugins
  readonly agents: AgentAdapters
}

interface Source {
  readonly file: YamlFile
  readonly written: WrittenConfiguration
  readonly trusted: boolean
}

/**
 * Reads the user's own file and the repository's, and merges them: the repository's may only narrow the policy. Reports everything that is
 * wrong at once.
 *
 * Throws `config_not_found`, `config_syntax`, `config_invalid`, `config_widens_policy`, `plugin_unknown`, `usage_invalid`.
 */
export async function loadConfiguration(request: LoadRequest): Promise<Configuration> {
  const { surroundings, repository } = request
  const userPath = userFile(request.file, surroundings)
  const userName = userPath ?? usualUserFile(surroundings)
  const user = userPath === null ? undefined : await readUser(userPath, repository, usualUserFile(surroundings))
  const repositoryFile = repository === null ? null : join(repository, configurationFileName)
  const shared = repositoryFile === null || !present(repositoryFile) ? undefined : await read(repositoryFile, false)
  const sources = [user, shared].filter((source) => source !== undefined)
  const problems: Problem[] = []

  const known = { builtIn: request.environments, layers: request.layers }
  const environments = {
    ...builtInEnvironments(request.environments),
    ...(user?.written.environments && writtenEnvironments(user.written.environments, user.file, known, problems)),
  }
  const usual = user?.written.environment ?? request.environments.usual
  const environment = request.environment ?? usual
  const chosen = [usual, environment]
  if (request.environment !== null && !Object.hasOwn(environments, request.environment)) {
    const [rule, remedy] = unknownName('environment', request.environment, environments)
    throw new BulkheadError('usage_invalid', rule, { remedy })
  }
  for (const { file, written, trusted } of sources) {
    if (!trusted && written.environments !== undefined) {
      const rule = 'a file in the repository may not define environments'
      problems.push(problemAt(file, ['environments'], rule, `Move them to ${userName}.`, 'config_widens_policy'))
    }
    if (written.environment !== undefined) {
      checkEnvironment(written.environment, ['environment'], { file, trusted, environments, chosen, userFile: userName }, problems)
    }
  }

  const agents = mergeAgents(sources, request.agents, problems)
  const agentNames = Object.keys(agents)
  const agent = shared?.written.agent ?? user?.written.agent ?? (agentNames.length === 1 ? (agentNames[0] ?? null) : null)
  for (const { file, written } of sources) {
    if (written.agent !== undefined && !Object.hasOwn(agents, written.agent)) {
      problems.push(problemAt(file, ['agent'], ...unknownName('agent', written.agent, agents)))
    }
  }

  const policy = mergePolicies(user, shared, request, userName, problems)
  let retry = defaultRetry
  for (const { file, written } of sources) if (written.retry) retry = resolveRetry(written.retry, retry, file, ['retry'], problems)
  const gates = sources.flatMap(({ file, written }) => resolveGates(written.gates ?? [], file, ['gates'], problems))
  const doubled = gates.find(({ name }, index) => gates.findIndex((gate) => gate.name === name) !== index)
  if (doubled !== undefined && shared !== undefined && problems.length === 0) {
    const rule = `gate "${doubled.name}" is defined in your own file as well`
    problems.push(problemAt(shared.file, ['gates'], rule, `Rename it here or in ${userName}.`))
  }

  const jobs = sources.flatMap(({ file, written, trusted }) => {
    const base = { directory: dirname(file.path), home: surroundings.home }
    const scope: JobScope = { file, base, trusted, environments, chosen, agents, policy, retry, gates, userFile: userName }
    return resolveJobs(written.jobs ?? [], ['jobs'], scope, problems)
  })
  refuse(problems)
  return {
    sources: sources.map(({ file }) => file.path),
    environments,
    environment,
    agents,
    agent,
    policy,
    concurrency: concurrencyOf(user?.written.concurrency, shared?.written.concurrency),
    retry,
    gates,
    setup: shared?.written.setup ?? user?.written.setup ?? null,
    target: shared?.written.target ?? user?.written.target ?? null,
    jobs,
  }
}

/** The jobs of `bulkhead run -f FILE`. Throws like `loadConfiguration`. */
export async function loadJobs(path: string, request: LoadRequest, configuration: Configuration): Promise<JobConfiguration[]> {
  const { surroundings, repository } = request
  const trusted = repository === null || !isWithin(realPrefix(path), realPrefix(repository))
  const file = await readYamlFile(path, trusted)
  const written = parse(file, jobsFileSchema)
  const problems: Problem[] = []
  const userName = userFile(request.file, surroundings) ?? usualUserFile(surroundings)
  const base = { directory: dirname(path), home: surroundings.home }
  const jobs = resolveJobs(
    written.jobs,
    ['jobs'],
    { ...configuration, chosen: [configuration.environment], file, base, trusted, userFile: userName },
    problems,
  )
  refuse(problems)
  return jobs
}

async function readUser(path: string, repository: string | null, usual: string): Promise<Source> {
  if (repository !== null && isWithin(realPrefix(path), realPrefix(repository))) {
    throw new BulkheadError('config_invalid', 'your own configuration file may not lie inside the repository', {
      where: path,
      remedy: `Agents could change it there; move it, for instance to ${usual}.`,
    })
  }
  const source = await read(path, true)
  // Windows reports modes that mean nothing.
  if ((statSync(path).mode & 0o002) !== 0 && process.getuid !== undefined) {
    throw new BulkheadError('config_invalid', 'every user of this machine can change your configuration file', {
      where: path,
      remedy: `Run chmod o-w ${path}.`,
    })
  }
  return source
}

async function read(path: string, trusted: boolean): Promise<Source> {
  const file = await readYamlFile(path, trusted)
  return { file, written: parse(file, configurationSchema), trusted }
}

/** Throws with every problem the schema finds, in the order of the file. */
function parse<S extends z.ZodType>(file: YamlFile, schema: S): z.output<S> {
  const result = schema.safeParse(file.value ?? {})
  if (result.success) return result.data
  throw asError(explain(file, result.error.issues, toJsonSchema(schema)))
}

function asError(problems: readonly Problem[]): never {
  refuse(problems)
  throw new BulkheadError('internal', 'the configuration was refused without a reason')
}

function mergeAgents(sources: readonly Source[], adapters: AgentAdapters, problems: Problem[]): Configuration['agents'] {
  const agents: Record<string, Configuration['agents'][string]> = {}
  for (const { file, written } of sources) {
    for (const [name, agent] of Object.entries(resolveAgents(written.agents ?? {}, file, adapters, problems))) {
      if (Object.hasOwn(agents, name)) {
        problems.push(
          problemAt(file, ['agents', name], `agent "${name}" is defined in your own file as well`, 'Choose another name for one of them.'),
        )
      } else agents[name] = agent
    }
  }
  return agents
}

function mergePolicies(user: Source | undefined, shared: Source | undefined, request: LoadRequest, userName: string, problems: Problem[]) {
  let policy = defaultPolicy
  const home = request.surroundings.home
  if (user !== undefined) {
    const { patch, problems: found } = policyPatch(user.written.policy, user.file, ['policy'], { directory: dirname(user.file.path), home })
    problems.push(...found)
    const own = [...request.own, user.file.path].map(realPrefix)
    patch.write?.forEach((path, index) => {
      const touched = own.find((one) => overlaps(path, one))
      if (touched === undefined) return
      const rule = `agents could change ${touched}, which Bulkhead rests on`
      problems.push(problemAt(user.file, ['policy', 'filesystem', 'write', index], rule, 'Name a directory that does not contain it.'))
    })
    policy = applyPatch(policy, patch)
  }
  if (shared !== undefined) {
    const { patch, problems: found } = policyPatch(shared.written.policy, shared.file, ['policy'], {
      directory: dirname(shared.file.path),
      home,
    })
    const narrowed = narrow(policy, patch)
    problems.push(...found, ...narrowed.widenings.map((one) => widened({ file: shared.file, userFile: userName }, ['policy'], one)))
    policy = narrowed.policy
  }
  return policy
}

/** The repository may ask for fewer at once than the user wants, never for more. */
function concurrencyOf(user: number | undefined, shared: number | undefined): number {
  const most = user ?? Math.max(2, availableParallelism())
  return shared === undefined ? most : Math.min(shared, user ?? shared)
}

function present(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
