import { execFile } from 'node:child_process'
import { access, constants, mkdtemp, rm } from 'node:fs/promises'
import { release, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type CommandApp, surroundingsOf } from '../../compose-command.ts'
import { stateHome } from '../../config/locate.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { LayerReport } from '../../contracts/enforcement.ts'
import type { EnvironmentSpec } from '../../contracts/job.ts'
import type { Evidence } from '../../contracts/layer.ts'
import { examples, type CommonOptions, withJson } from '../app.ts'
import { escapeLine } from '../render/escape.ts'
import { table } from '../render/table.ts'
import type { Verb, VerbContext } from '../verb.ts'

interface DoctorOptions extends CommonOptions {
  readonly attest?: boolean
}

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly remedy: string
}

interface EnvironmentReport {
  readonly name: string
  readonly isDefault: boolean
  readonly usable: boolean
  readonly layers: readonly LayerReport[]
  /** null: not attested. */
  readonly evidence: readonly Evidence[] | null
  readonly failure: { readonly code: string; readonly message: string; readonly remedy: string | null } | null
}

export const doctor: Verb = {
  register(program, context) {
    const command = program
      .command('doctor')
      .description('Say what this machine can enforce: each layer of each environment, with reason and remedy')
      .option('-e, --environment <name>', 'only this environment')
      .option('--attest', 'build the walls around a harmless command, attack them, and show the evidence')
      .option('--config <file>', 'your own configuration file, instead of the usual one')
    withJson(command, 'the report').action((options: DoctorOptions) => act(context, options))
    examples(command, ['bulkhead doctor', 'bulkhead doctor --attest', 'bulkhead doctor --attest --json > attestation.json'])
    command.addHelpText('after', '\nExit codes: 0 the default environment (or the one named) is usable, 3 or 4 it is not.')
  },
}

async function act(context: VerbContext, options: DoctorOptions): Promise<void> {
  const { composeCommand } = await import('../../compose-command.ts')
  const app = await composeCommand({
    directory: context.directory,
    variables: context.variables,
    configFile: options.config === undefined ? null : resolve(context.directory, options.config),
    environment: options.environment ?? null,
  })
  try {
    const checks = await hostChecks(context)
    const { environments, environment } = app.configuration
    const chosen = Object.values(environments).filter(({ name }) => options.environment === undefined || name === options.environment)
    const reports: EnvironmentReport[] = []
    for (const spec of chosen)
      reports.push(
        await examine(app, spec, {
          isDefault: spec.name === environment,
          attest: options.attest === true && (spec.name === environment || options.environment !== undefined),
        }),
      )
    if (options.json === true) context.terminal.json({ checks, environments: reports })
    else for (const line of describe(checks, reports)) context.terminal.out(line)
    context.exit(exitOf(checks, reports))
  } finally {
    await app[Symbol.asyncDispose]()
  }
}

function exitOf(checks: readonly Check[], reports: readonly EnvironmentReport[]): number {
  if (reports.some(({ isDefault, usable, failure }) => isDefault && (!usable || failure !== null))) return 4
  return checks.every(({ ok }) => ok) ? 0 : 3
}

async function examine(
  app: CommandApp,
  spec: EnvironmentSpec,
  { isDefault, attest }: { isDefault: boolean; attest: boolean },
): Promise<EnvironmentReport> {
  const layers = await app.enforcement.examine(spec)
  const usable = layers.every(({ availability }) => availability.usable)
  const report = { name: spec.name, isDefault, usable, layers, evidence: null, failure: null }
  if (!attest || !usable) return report
  try {
    const evidence = await proveEnvironment(app, spec)
    const broken = evidence.filter(({ held }) => !held)
    if (broken.length === 0) return { ...report, evidence }
    return { ...report, evidence, failure: { code: 'layer_unverified', message: `${broken.length} claims do not hold`, remedy: null } }
  } catch (error) {
    const { code, message, remedy } = BulkheadError.from(error)
    return { ...report, failure: { code, message, remedy } }
  }
}

/** Builds the walls of an environment around a command that does nothing, in an empty directory, as for a job, and attacks them. */
async function proveEnvironment(app: CommandApp, spec: EnvironmentSpec): Promise<readonly Evidence[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-attest-'))
  try {
    const enforced = await app.enforcement.enter({
      job: `attest-${process.pid}`,
      environment: spec,
      policy: app.configuration.policy,
      workspace: {
        path: directory,
        gitDirectory: null,
        objectStores: [],
        owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      },
      command: { argv: app.harmless, directory, environment: {} },
      stdio: { kind: 'pipes' },
      signal: new AbortController().signal,
      onDenial: () => {},
    })
    try {
      await enforced.sandbox.start()
      const { code } = await enforced.sandbox.exited
      if (code !== 0) throw new BulkheadError('layer_unverified', `a command that does nothing ended with code ${code} behind the walls`)
      return enforced.evidence
    } finally {
      await enforced[Symbol.asyncDispose]()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function hostChecks({ directory, variables }: VerbContext): Promise<Check[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const surroundings = surroundingsOf({ directory, variables })
  return [
    {
      name: 'node',
      ok: major > 20 || (major === 20 && minor >= 19),
      detail: process.versions.node,
      remedy: 'Install Node.js 20.19 or newer.',
    },
    await gitCheck(variables),
    { name: 'kernel', ok: true, detail: release(), remedy: '' },
    await stateCheck(stateHome(surroundings)),
  ]
}

async function gitCheck(variables: NodeJS.ProcessEnv): Promise<Check> {
  const remedy = 'Install git 2.38 or newer.'
  // Not where the user is: on Windows a program is looked for in the working directory first.
  const cwd = dirname(process.execPath)
  try {
    const { stdout } = await promisify(execFile)('git', ['version'], { env: variables, cwd, timeout: 10_000 })
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number)
    return { name: 'git', ok: major > 2 || (major === 2 && minor >= 38), detail: stdout.trim().replace(/^git version /, ''), remedy }
  } catch {
    return { name: 'git', ok: false, detail: 'not found', remedy }
  }
}

async function stateCheck(state: string): Promise<Check> {
  for (let path = state; ; path = dirname(path)) {
    try {
      await access(path, constants.W_OK | constants.X_OK)
      return { name: 'state', ok: true, detail: state, remedy: '' }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) continue
      return {
        name: 'state',
        ok: false,
        detail: `${path} is not writable`,
        remedy: 'Set BULKHEAD_STATE to a directory that you can write.',
      }
    }
  }
}

function describe(checks: readonly Check[], reports: readonly EnvironmentReport[]): string[] {
  const hosts = checks.map(({ name, ok, detail, remedy }) => [ok ? 'ok' : 'MISSING', name, ok ? detail : `${detail}; ${remedy}`])
  return [
    ...table(hosts),
    ...reports.flatMap(({ name, isDefault, layers, evidence, failure }) => [
      '',
      `environment ${name}${isDefault ? ' (default)' : ''}`,
      ...table(layers.map(layerRow)).map((line) => `  ${line}`),
      ...(evidence ?? []).map(({ claim, held, detail }) => escapeLine(`  ${held ? 'held  ' : 'BROKEN'}  ${claim}: ${detail}`)),
      ...(failure === null ? [] : [escapeLine(`  FAILED: ${failure.message}${failure.remedy === null ? '' : `; ${failure.remedy}`}`)]),
    ]),
  ]
}

function layerRow({ layer, plugin, availability }: LayerReport): string[] {
  if (availability.usable) return [availability.tier === 'none' ? 'none' : availability.tier, layer, plugin, availability.detail]
  return ['UNUSABLE', layer, plugin, `${availability.reason}; ${availability.remedy}`]
}
