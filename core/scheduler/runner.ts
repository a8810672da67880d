import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentAdapter, AgentCommand, AgentRunResult, AgentRuns } from '../contracts/agent.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { EventPayloads } from '../contracts/event.ts'
import type { JobSpec } from '../contracts/job.ts'
import type { Workspace, WorkspaceRequest, Workspaces } from '../contracts/workspace.ts'
import type { Claim } from './claim.ts'
import { commitMessage } from './commit-message.ts'
import { conclude, endOfError, endOfRun, type ConcludeParts, type End } from './end.ts'
import { Notes } from './notes.ts'
import { jobVariables } from './variables.ts'

export interface RunnerParts extends ConcludeParts {
  readonly workspaces: Workspaces
  readonly agentRuns: AgentRuns
  readonly agents: ReadonlyMap<string, AgentAdapter>
}

/**
 * The life of one attempt, from the claim to the event that ends it. A workspace outlives failed and interrupted attempts and is used
 * again as it is: what an agent did is never thrown away, and a retry goes on from there.
 */
export class JobRunner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the attempt has ended one way or another. Aborting ends it: with reason `'shutdown'` the job goes back to the queue,
   * otherwise it is cancelled. Rejects only when the journal cannot be written.
   */
  async run(claim: Claim, signal: AbortSignal): Promise<void> {
    const notes = new Notes(this.#parts.journal, claim.spec.id, signal)
    let end: End
    try {
      end = await this.#attempt(claim, notes)
    } catch (error) {
      end = endOfError(error, signal)
    }
    notes.throwIfBroken()
    await conclude(this.#parts, claim, end, this.#takeIn)
  }

  async #attempt({ spec, attempt }: Claim, notes: Notes): Promise<End> {
    const { workspaces, agents, agentRuns } = this.#parts
    const adapter = agents.get(spec.agent.adapter)
    if (adapter === undefined) throw new BulkheadError('plugin_unknown', `The agent adapter ${spec.agent.adapter} is not installed.`)
    notes.signal.throwIfAborted()
    const prepare: WorkspaceRequest['prepare'] = (directory) => agentRuns.prepare(spec.environment, directory)
    const workspace =
      (await workspaces.open(spec.name)) ?? (await workspaces.create({ name: spec.name, base: spec.base, include: true, prepare }))
    notes.signal.throwIfAborted()
    const watch = this.#watch(workspace, notes)
    let last: AgentRunResult
    try {
      const scratch = join(workspaces.repository.state, 'scratch', `${spec.id}-${attempt}`)
      if (spec.setup !== null) {
        const setup = await this.#command(spec, workspace, scratch, { argv: spec.setup, environment: {}, stdin: null, files: {} }, notes)
        const end = endOfRun(setup, 'the setup command')
        if (end !== null) return end
      }
      const command = askAdapter(adapter, spec, { attempt, workspace: workspace.path, scratch })
      last = await this.#command(spec, workspace, scratch, command, notes, true)
    } finally {
      await (await watch)?.[Symbol.asyncDispose]()
    }
    notes.append('job.exited', { code: last.code, signal: last.signal, reason: last.reason })
    const end = endOfRun(last, 'the agent')
    if (end !== null) return end
    return { kind: 'finished', snapshot: await workspaces.intake(workspace, commitMessage(spec)) }
  }

  async #command(
    spec: JobSpec,
    workspace: Workspace,
    scratch: string,
    command: AgentCommand,
    notes: Notes,
    isAgent = false,
  ): Promise<AgentRunResult> {
    const { workspaces, agentRuns } = this.#parts
    const { state, root } = workspaces.repository
    for (const directory of ['logs', 'scratch']) mkdirSync(join(state, directory), { recursive: true, mode: 0o700 })
    return agentRuns.run({
      job: spec.id,
      environment: spec.environment,
      policy: spec.policy,
      workspace,
      command,
      variables: jobVariables(spec, root, workspace.path),
      scratch,
      logFile: join(state, 'logs', `${spec.id}.log`),
      signal: notes.signal,
      observer: notes.observer({ workspace: workspace.path, base: spec.base }, isAgent),
    })
  }

  /** Not waited for: a big tree must not hold up the agent. Without a watch (the system has no more of them) the job runs all the same. */
  async #watch(workspace: Workspace, notes: Notes): Promise<AsyncDisposable | null> {
    try {
      return await this.#parts.workspaces.watch(workspace, (counts) => notes.changed(counts))
    } catch (error) {
      this.#parts.logger.warn(
        { workspace: workspace.name, error: BulkheadError.from(error).message },
        'changes are not shown while it runs',
      )
      return null
    }
  }

  /** What there is of an attempt that did not finish; null when that is nothing or cannot be taken in (it stays in the workspace). */
  readonly #takeIn = async (spec: JobSpec): Promise<EventPayloads['job.cancelled']['work']> => {
    const { workspaces, logger } = this.#parts
    try {
      const workspace = await workspaces.open(spec.name)
      return workspace === undefined ? null : await workspaces.intake(workspace, commitMessage(spec))
    } catch (error) {
      logger.warn({ job: spec.name, error: BulkheadError.from(error).message }, 'what it changed stays in its workspace')
      return null
    }
  }
}

function askAdapter(
  adapter: AgentAdapter,
  spec: JobSpec,
  task: { readonly attempt: number; readonly workspace: string; readonly scratch: string },
): AgentCommand {
  try {
    const options = adapter.options.parse(spec.agent.options)
    return adapter.command(options, { job: spec.id, name: spec.name, prompt: spec.prompt, ...task })
  } catch (error) {
    throw BulkheadError.from(error, 'plugin_failed', { plugin: adapter.id, job: spec.name, operation: 'command' })
  }
}
