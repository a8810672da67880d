import type { AgentConfiguration, JobConfiguration } from '../contracts/configuration.ts'
import type { EnvironmentSpec, GateSpec, RetrySpec } from '../contracts/job.ts'
import { nearest } from '../contracts/nearest.ts'
import type { Policy } from '../contracts/policy.ts'
import type { PathBase } from './canonical-path.ts'
import { defaultGateTimeMs } from './defaults.ts'
import { narrow } from './narrow.ts'
import { policyPatch } from './policy-patch.ts'
import type { Problem } from './problem.ts'
import type { WrittenGate, WrittenJob, WrittenRetry } from './schema.ts'
import { type KeyPath, problemAt, type YamlFile } from './located.ts'

/** What the jobs of one file are checked against. */
export interface JobScope {
  readonly file: YamlFile
  readonly base: PathBase
  /** False for a file inside the repository: its jobs may not choose an environment. */
  readonly trusted: boolean
  readonly environments: Readonly<Record<string, EnvironmentSpec>>
  /** Those that the user chose, by file or by argument. */
  readonly chosen: readonly string[]
  readonly agents: Readonly<Record<string, AgentConfiguration>>
  readonly policy: Policy
  readonly retry: RetrySpec
  /** A job of the repository can add to these, not drop one. */
  readonly gates: readonly GateSpec[]
  /** Where the user would have to allow more. */
  readonly userFile: string
}

/** Jobs with their policies narrowed. What is wrong is added to `problems`. */
export function resolveJobs(written: readonly WrittenJob[], at: KeyPath, scope: JobScope, problems: Problem[]): JobConfiguration[] {
  const names = written.map(({ name }) => name)
  return written.map((job, index) => {
    const here = [...at, index]
    const report = (key: KeyPath, rule: string, remedy: string): void => {
      problems.push(problemAt(scope.file, [...here, ...key], rule, remedy))
    }
    if (job.name !== undefined && names.indexOf(job.name) !== index)
      report(['name'], `two jobs are called "${job.name}"`, 'Rename one of them.')
    if (job.name !== undefined && job.needs?.includes(job.name))
      report(['needs'], `job "${job.name}" needs itself`, 'Remove it from needs.')
    if (job.agent !== undefined && !Object.hasOwn(scope.agents, job.agent))
      report(['agent'], ...unknownName('agent', job.agent, scope.agents))
    if (job.environment !== undefined) checkEnvironment(job.environment, [...here, 'environment'], scope, problems)
    const { patch, problems: found } = policyPatch(job.policy, scope.file, [...here, 'policy'], scope.base)
    const { policy, widenings } = narrow(scope.policy, patch)
    problems.push(...found, ...widenings.map((widening) => widened(scope, [...here, 'policy'], widening)))
    return {
      name: job.name ?? null,
      prompt: job.prompt,
      agent: job.agent ?? null,
      environment: job.environment ?? null,
      needs: job.needs ?? [],
      priority: job.priority ?? 0,
      retry: job.retry === undefined ? null : resolveRetry(job.retry, scope.retry, scope.file, [...here, 'retry'], problems),
      policy: job.policy === undefined ? null : policy,
      gates: job.gates === undefined ? null : jobGates(job.gates, scope, [...here, 'gates'], problems),
      target: job.target ?? null,
      base: job.base ?? null,
      setup: job.setup ?? null,
    }
  })
}

/** An environment is a set of walls: only the user chooses it. */
export function checkEnvironment(
  name: string,
  at: KeyPath,
  scope: Omit<JobScope, 'agents' | 'policy' | 'retry' | 'base' | 'gates'>,
  problems: Problem[],
): void {
  if (!Object.hasOwn(scope.environments, name)) {
    problems.push(problemAt(scope.file, at, ...unknownName('environment', name, scope.environments)))
  } else if (!scope.trusted && !scope.chosen.includes(name)) {
    const rule = `a file in the repository may not choose environment "${name}"`
    const remedy = `Remove it, and write "environment: ${name}" in ${scope.userFile} or use --environment ${name}.`
    problems.push(problemAt(scope.file, at, rule, remedy, 'config_widens_policy'))
  }
}

export function widened(
  scope: Pick<JobScope, 'file' | 'userFile'>,
  at: KeyPath,
  { path, value, key }: { readonly path: KeyPath; readonly value: string; readonly key: string },
): Problem {
  const rule = `${key}: ${value} is more than your own policy allows`
  return problemAt(scope.file, [...at, ...path], rule, `Remove it, or add it to ${key} in ${scope.userFile}.`, 'config_widens_policy')
}

export function resolveRetry(written: WrittenRetry, base: RetrySpec, file: YamlFile, at: KeyPath, problems: Problem[]): RetrySpec {
  const delayMs = written.delay ?? base.delayMs
  const maximumMs = written.maximum ?? Math.max(base.maximumMs, delayMs)
  if (delayMs > maximumMs)
    problems.push(problemAt(file, [...at, 'delay'], 'retry.delay is longer than retry.maximum', 'Make delay shorter.'))
  return { attempts: written.attempts ?? base.attempts, delayMs, maximumMs }
}

export function resolveGates(written: readonly WrittenGate[], file: YamlFile, at: KeyPath, problems: Problem[]): GateSpec[] {
  const names = written.map(({ name }) => name)
  return written.map(({ name, command, time }, index) => {
    if (names.indexOf(name) !== index)
      problems.push(problemAt(file, [...at, index], `two gates are called "${name}"`, 'Rename one of them.'))
    return { name, command, limits: { timeMs: time ?? defaultGateTimeMs } }
  })
}

function jobGates(written: readonly WrittenGate[], scope: JobScope, at: KeyPath, problems: Problem[]): GateSpec[] {
  const own = resolveGates(written, scope.file, at, problems)
  if (scope.trusted) return own
  own.forEach(({ name }, index) => {
    if (!scope.gates.some((gate) => gate.name === name)) return
    problems.push(
      problemAt(scope.file, [...at, index], `gate "${name}" runs for every job already`, 'Choose another name, or remove it here.'),
    )
  })
  return [...scope.gates, ...own]
}

/** Rule and remedy. */
export function unknownName(kind: string, name: string, known: Readonly<Record<string, unknown>>): [string, string] {
  const names = Object.keys(known)
  const meant = nearest(name, names)
  const list = names.length === 0 ? `No ${kind} is configured; add one under "${kind}s".` : `Known: ${names.join(', ')}.`
  return [`${kind} "${name}" is not configured`, meant === undefined ? list : `Did you mean "${meant}"? ${list}`]
}
