import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentRunResult, AgentRuns } from '../contracts/agent.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { EventPayloads } from '../contracts/event.ts'
import type { GateSpec, JobSpec } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { Logger } from '../contracts/tokens.ts'
import type { Workspace, Workspaces } from '../contracts/workspace.ts'
import { endOfRun } from './end.ts'
import { jobVariables } from './variables.ts'

/** Bytes of a gate's output that its event keeps; the whole is in the log. */
const tailBytes = 4_096

export interface GateParts {
  readonly workspaces: Workspaces
  readonly agentRuns: AgentRuns
  readonly logger: Logger
  readonly orchestrator: string
}

/**
 * Runs a job's gates on a candidate, in a fresh workspace behind the job's own walls, after its setup command. Reports each; throws
 * `merge_gate_failed` at the first that fails, `interrupted` when `signal` aborts.
 *
 * Gates run what the candidate brought, so one of them could change what the next one judges. Whenever the content is not the candidate's any
 * more, the next gate gets a workspace of its own.
 */
export async function runGates(
  parts: GateParts,
  spec: JobSpec,
  candidate: string,
  signal: AbortSignal,
  report: (gate: EventPayloads['merge.gate']) => void,
): Promise<void> {
  const { workspaces, agentRuns } = parts
  const name = `gate-${parts.orchestrator.replace('orc_', '')}-${spec.id.replace('job_', '')}`
  const run = async (gate: GateSpec, workspace: Workspace): Promise<void> => {
    const { problem, ...outcome } = await runGate(parts, spec, gate, workspace, signal)
    report({ name: gate.name, ...outcome })
    if (problem !== null) throw failed(spec, gate, problem)
  }
  const fresh = async (): Promise<Workspace> => {
    const workspace = await workspaces.create({
      name,
      base: candidate,
      include: true,
      prepare: (directory) => agentRuns.prepare(spec.environment, directory),
    })
    if (spec.setup === null) return workspace
    const setup: GateSpec = { name: 'setup', command: spec.setup, limits: spec.policy.limits }
    await run(setup, workspace)
    if (await workspaces.differs(workspace))
      throw failed(spec, setup, 'it changed files that git does not ignore, so gates would not judge what lands')
    return workspace
  }
  let workspace: Workspace | undefined
  try {
    for (const [index, gate] of spec.gates.entries()) {
      workspace ??= await fresh()
      await run(gate, workspace)
      if (index + 1 < spec.gates.length && (await workspaces.differs(workspace))) {
        await discard(parts, name)
        workspace = undefined
      }
    }
  } finally {
    if (spec.gates.length > 0) await discard(parts, name)
  }
}

function failed(spec: JobSpec, gate: GateSpec, problem: string): BulkheadError {
  return new BulkheadError('merge_gate_failed', `gate ${gate.name}: ${problem}`, {
    job: spec.name,
    operation: gate.name,
    remedy: `See what it printed with bulkhead show ${spec.name}.`,
  })
}

/** Nothing in it is worth keeping: it is the candidate and what the gates made of it. What cannot be deleted must not change the verdict. */
async function discard({ workspaces, logger }: GateParts, name: string): Promise<void> {
  try {
    await workspaces.remove(name, { commit: null, merged: true, scratch: true })
  } catch (error) {
    logger.warn({ workspace: name, error: String(error) }, 'a workspace of gates could not be removed')
  }
}

type GateOutcome = Omit<EventPayloads['merge.gate'], 'name'> & { readonly problem: string | null }

async function runGate(parts: GateParts, spec: JobSpec, gate: GateSpec, workspace: Workspace, signal: AbortSignal): Promise<GateOutcome> {
  const { state, root } = parts.workspaces.repository
  const logFile = join(state, 'logs', `${spec.id}.gates.log`)
  for (const directory of ['logs', 'scratch']) mkdirSync(join(state, directory), { recursive: true, mode: 0o700 })
  const from = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  const begin = performance.now()
  const took = (): number => Math.round(performance.now() - begin)
  let result: AgentRunResult
  try {
    result = await parts.agentRuns.run({
      job: spec.id,
      environment: spec.environment,
      policy: { ...spec.policy, limits: { ...spec.policy.limits, timeMs: gate.limits.timeMs } },
      workspace,
      command: { argv: gate.command, environment: {}, stdin: null, files: {} },
      variables: jobVariables(spec, root, workspace.path),
      scratch: join(state, 'scratch', workspace.name),
      logFile,
      signal,
      observer: {},
    })
  } catch (error) {
    if (signal.aborted) throw interrupted()
    if (!BulkheadError.is(error) || !error.code.startsWith('launch_')) throw error
    return { passed: false, durationMs: took(), output: '', problem: error.message }
  }
  const end = endOfRun(result, 'it')
  if (end?.kind === 'cancelled' || end?.kind === 'shutdown') throw interrupted()
  const problem = end?.kind === 'failed' ? end.message : null
  return { passed: problem === null, durationMs: took(), output: tail(logFile, from), problem }
}

function interrupted(): BulkheadError {
  return new BulkheadError('interrupted', 'Stopped while the gates ran.')
}

/** The last bytes that were written from `from` on. Hostile text. */
function tail(file: string, from: number): string {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return ''
  const descriptor = openSync(file, 'r')
  try {
    const end = fstatSync(descriptor).size
    const start = Math.max(from, end - tailBytes)
    const buffer = Buffer.alloc(Math.max(0, end - start))
    const length = readSync(descriptor, buffer, 0, buffer.length, start)
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** Removes candidates' workspaces of processes that are gone. */
export async function sweepGates(parts: Pick<GateParts, 'workspaces' | 'logger'>, journal: Journal, isAlive: Liveness): Promise<void> {
  const living = new Set(journal.orchestrators().flatMap((record) => (isAlive(record) ? [record.id] : [])))
  for (const name of await parts.workspaces.list()) {
    const owner = /^gate-([0-9a-f]{16})-[a-z0-9]{12}$/.exec(name)?.[1]
    if (owner === undefined || living.has(`orc_${owner}`) || journal.find(name) !== undefined) continue
    parts.logger.info({ workspace: name }, 'a workspace of gates that were interrupted is removed')
    await parts.workspaces.remove(name, { commit: null, merged: true, scratch: true })
  }
}
