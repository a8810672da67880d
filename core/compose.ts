import 'reflect-metadata'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { container as root, type DependencyContainer, instanceCachingFactory } from 'tsyringe'
import type { Configuration, JobConfiguration } from './contracts/configuration.ts'
import type { Enforcement } from './contracts/enforcement.ts'
import { BulkheadError } from './contracts/error.ts'
import type { OpenQuestion } from './contracts/event.ts'
import type { JobSpec, JobView } from './contracts/job.ts'
import type { Journal } from './contracts/journal.ts'
import {
  AgentAdaptersToken,
  AgentRunsToken,
  EnforcementToken,
  HostToken,
  JournalToken,
  LauncherToken,
  LayerPluginsToken,
  type Logger,
  LoggerToken,
  MergeQueueToken,
  type Token,
  WorkspacesToken,
} from './contracts/tokens.ts'
import type { Workspaces } from './contracts/workspace.ts'
import { stateHome, usualUserFile } from './config/locate.ts'
import type { LoadRequest } from './config/load.ts'
import { type ComposeOptions, itself, surroundingsOf } from './compose-command.ts'
import type { MergeRequest, MergeResult, RunOutcome, RunRequest } from './scheduler/index.ts'

export { type CommandApp, composeCommand, type ComposeOptions } from './compose-command.ts'
export type { MergeResult, RunOutcome } from './scheduler/index.ts'

/** One repository with everything that works on it. Parts are made when they are first needed. */
export interface RepositoryApp extends AsyncDisposable {
  readonly workspaces: Workspaces
  readonly journal: Journal
  /** Who decides and asks, as events name them. */
  readonly user: string
  /** Throws what `loadConfiguration` throws. */
  configuration(): Promise<Configuration>
  /** Jobs of a file, checked and narrowed. Throws what `loadJobs` throws. */
  jobsOf(file: string): Promise<readonly JobConfiguration[]>
  enforcement(): Promise<Enforcement>
  /** All jobs as they are now, in the order of submission; removed ones too. */
  jobs(): readonly JobView[]
  /** Throws `usage_unknown_job`. */
  job(idOrName: string): JobView
  submit(jobs: readonly JobConfiguration[]): Promise<readonly JobSpec[]>
  run(request: RunRequest): Promise<RunOutcome>
  approve(idOrName: string, tree?: string): Promise<string>
  reject(idOrName: string, reason: string): Promise<void>
  merge(request: Omit<MergeRequest, 'by'>): Promise<readonly MergeResult[]>
  cancel(idOrName: string): 'cancelled' | 'requested'
  /** Throws what `answerQuestion` throws. */
  answer(idOrName: string, allow: boolean, question: number | null): OpenQuestion
  remove(idOrName: string): Promise<string | null>
  pause(): void
  resume(): void
  /** Undoes or finishes what dead processes left. One line for each thing done. */
  recover(): Promise<readonly string[]>
  /** Output of a job's agent. */
  logFile(spec: JobSpec): string
}

/** Throws `usage_not_a_repository` and what opening the journal throws. */
export async function composeRepository(options: ComposeOptions): Promise<RepositoryApp> {
  const [{ openWorkspaces, createMergeQueue }, { openJournal }, scheduling, { Board }, { deleteTree, isAlive, processIdentity }] =
    await Promise.all([
      import('../workspaces/index.ts'),
      import('./journal/index.ts'),
      import('./scheduler/index.ts'),
      import('./scheduler/board.ts'),
      import('../native/index.ts'),
    ])
  const surroundings = surroundingsOf(options)
  const self = itself(processIdentity(process.pid))
  const { directory, variables } = options
  const processes = { self, isAlive }
  const workspaces = await openWorkspaces({ directory, variables, stateHome: stateHome(surroundings), processes, deleteTree })
  const { repository } = workspaces
  const scope = root.createChildContainer()
  const journal = openJournal({ file: join(repository.state, 'journal.db'), isAlive })
  // Kept, so that a listing that is shown again and again only reads what is new.
  const board = new Board(journal)
  const views = (): readonly JobView[] => {
    board.sync()
    return scheduling.withOrphans({ journal, board, isAlive })
  }
  const presence = new scheduling.Presence({ journal, self })
  const user = userName()

  bind(scope, WorkspacesToken, () => workspaces)
  bind(scope, JournalToken, () => journal)
  bind(scope, MergeQueueToken, () => createMergeQueue(workspaces))
  const logger = lazyLogger(join(repository.state, 'bulkhead.log'))
  bind(scope, LoggerToken, () => logger)

  const loadRequest = once(async (): Promise<LoadRequest> => {
    const plugins = await import('../plugins/index.ts')
    return {
      file: options.configFile,
      environment: options.environment,
      surroundings,
      repository: repository.root,
      own: [stateHome(surroundings), repository.state, repository.gitDirectory, usualUserFile(surroundings)],
      environments: plugins.builtInEnvironments,
      layers: plugins.layerPlugins,
      agents: plugins.agentAdapters,
    }
  })
  const configuration = once(async () => (await import('./config/load.ts')).loadConfiguration(await loadRequest()))
  const walls = once(() => bindWalls(scope, { journal, orchestrator: () => presence.id, isAlive, hostEnvironment: options.variables }))
  const recover = async (): Promise<readonly string[]> => {
    await walls()
    return [...(await workspaces.recover()), ...(await scope.resolve<Enforcement>(EnforcementToken).recover())]
  }
  const landing = once(async () => {
    await walls()
    return new scheduling.Landing({
      journal,
      presence,
      workspaces,
      isAlive,
      logger,
      mergeQueue: get(scope, MergeQueueToken),
      agentRuns: get(scope, AgentRunsToken),
    })
  })
  return {
    workspaces,
    journal,
    user,
    configuration,
    recover,
    jobsOf: async (file) => (await import('./config/load.ts')).loadJobs(file, await loadRequest(), await configuration()),
    enforcement: async () => {
      await walls()
      return get(scope, EnforcementToken)
    },
    jobs: views,
    job: (idOrName) => {
      const { id } = scheduling.findJob(journal, idOrName)
      return views().find(({ spec }) => spec.id === id) as JobView
    },
    submit: async (jobs) => {
      const loaded = await configuration()
      const build = () => scheduling.buildJobSpecs(loaded, jobs, { existing: views(), resolve: resolver(workspaces), now: Date.now() })
      return scheduling.submitJobs({ journal, presence }, build)
    },
    run: async (request) => {
      await walls()
      const agentRuns = get(scope, AgentRunsToken)
      const runner = new scheduling.JobRunner({ journal, logger, workspaces, agentRuns, agents: get(scope, AgentAdaptersToken) })
      return new scheduling.Scheduler({ journal, presence, runner, isAlive, logger, recover }).run(request)
    },
    approve: async (idOrName, tree) => (await landing()).approve(idOrName, user, tree),
    reject: async (idOrName, reason) => (await landing()).reject(idOrName, user, reason),
    merge: async (request) => (await landing()).merge({ ...request, by: user }),
    answer: (idOrName, allow, question) => scheduling.answerQuestion(journal, idOrName, { allow, question, by: user }),
    cancel: (idOrName) => scheduling.cancelJob({ journal, isAlive }, idOrName, user),
    remove: (idOrName) => scheduling.removeJob({ journal, workspaces, presence }, idOrName, user),
    pause: () => scheduling.pauseQueue(journal, user),
    resume: () => scheduling.resumeQueue(journal, user),
    logFile: (spec) => join(repository.state, 'logs', `${spec.id}.log`),
    [Symbol.asyncDispose]: async () => {
      if (scope.isRegistered(LauncherToken)) await get(scope, LauncherToken)[Symbol.asyncDispose]()
      presence[Symbol.dispose]()
      journal[Symbol.dispose]()
    },
  }
}

interface WallParts {
  readonly journal: Journal
  readonly orchestrator: () => string
  readonly isAlive: (process: { readonly pid: number; readonly startTime: string }) => boolean
  /** What `policy.environment.pass` takes its values from. */
  readonly hostEnvironment: NodeJS.ProcessEnv
}

/** Binds plugins, host, launcher, enforcement and agents' runs. */
async function bindWalls(scope: DependencyContainer, parts: WallParts): Promise<void> {
  const [plugins, native, { EnforcementPipeline }, { ConfinedRuns }, { checkedAdapters }] = await Promise.all([
    import('../plugins/index.ts'),
    import('../native/index.ts'),
    import('./enforcement/pipeline.ts'),
    import('./agents/runs.ts'),
    import('./agents/adapters.ts'),
  ])
  bind(scope, LayerPluginsToken, () => plugins.layerPlugins)
  bind(scope, AgentAdaptersToken, () => checkedAdapters(plugins.agentAdapters))
  // Starts its helper process at the first launch; a command that launches nothing never does.
  const launcher = native.createLauncher()
  bind(scope, LauncherToken, () => launcher)
  bind(scope, HostToken, () => native.createHost(launcher))
  bind(scope, EnforcementToken, (from) => {
    return new EnforcementPipeline({
      ...parts,
      plugins: get(from, LayerPluginsToken),
      host: get(from, HostToken),
      launcher: get(from, LauncherToken),
    })
  })
  bind(scope, AgentRunsToken, (from) => {
    return new ConfinedRuns({ enforcement: get(from, EnforcementToken), logger: get(from, LoggerToken) })
  })
}

function bind<T>(scope: DependencyContainer, token: Token<T>, make: (from: DependencyContainer) => T): void {
  scope.register(token, { useFactory: instanceCachingFactory(make) })
}

function get<T>(scope: DependencyContainer, token: Token<T>): T {
  return scope.resolve<T>(token)
}

/** Opens the log with its first line. */
function lazyLogger(file: string): Logger {
  let made: Promise<Logger> | undefined
  const open = async (): Promise<Logger> => {
    const { pino } = await import('pino')
    const logger: Logger = pino({ base: { pid: process.pid } }, pino.destination({ dest: file, sync: true, mode: 0o600 }))
    return logger
  }
  const write = (level: keyof Logger) => (fields: object, message: string) => {
    // A log that cannot be written must not stop anything: it is not the record, the journal is.
    void (made ??= open()).then((logger) => logger[level](fields, message)).catch(() => {})
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Base and target of a job: the target is a branch, the base a commit, by default the tip of the target. */
function resolver(workspaces: Workspaces) {
  return async ({ base, target }: { readonly base: string | null; readonly target: string | null }) => {
    const branch = target ?? workspaces.repository.head
    if (branch === null) {
      throw new BulkheadError('usage_invalid', 'no branch is checked out, so there is nothing to land work on', {
        remedy: 'Check out a branch, or set target in bulkhead.yaml or with --target.',
      })
    }
    return { base: await workspaces.resolve(base ?? branch), target: branch }
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user without an entry in passwd(5), as in many containers.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}
