import { resolve } from 'node:path'
import type { CommandApp } from '../../compose-command.ts'
import type { Attested, LayerReport } from '../../contracts/enforcement.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { EnvironmentSpec } from '../../contracts/job.ts'
import { examples, type CommonOptions, withJson } from '../app.ts'
import { attestEnvironment } from '../doctor/attest.ts'
import { type Check, hostChecks } from '../doctor/host-checks.ts'
import { escapeLine } from '../render/escape.ts'
import { table } from '../render/table.ts'
import type { Verb, VerbContext } from '../verb.ts'

interface DoctorOptions extends CommonOptions {
  readonly attest?: boolean
}

interface EnvironmentReport {
  readonly name: string
  readonly isDefault: boolean
  readonly usable: boolean
  /** Layers whose missing parts the configuration accepts. */
  readonly degrade: EnvironmentSpec['degrade']
  readonly layers: readonly LayerReport[]
  /** What has to be done once before all layers can work; empty: nothing. */
  readonly setup: readonly string[]
  /** null: not attested. */
  readonly evidence: readonly Attested[] | null
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
  const usable = layers.every((layer) => layer.availability.usable || isDegraded(layer, spec))
  const setup = await openSetup(app, spec)
  const report = { name: spec.name, isDefault, usable, degrade: spec.degrade, layers, setup, evidence: null, failure: null }
  if (!attest || !usable) return report
  try {
    const evidence = await attestEnvironment(app, spec)
    const broken = evidence.filter(({ held }) => !held)
    if (broken.length === 0) return { ...report, evidence }
    const message = `${broken.length} of ${evidence.length} claims do not hold here`
    return { ...report, evidence, failure: { code: 'layer_unverified', message, remedy: null } }
  } catch (error) {
    const { code, message, remedy } = BulkheadError.from(error)
    return { ...report, failure: { code, message, remedy } }
  }
}

/** It cannot work here, says that it can do without enforcing, and the configuration accepts that. */
function isDegraded({ layer, availability }: LayerReport, { degrade }: Pick<EnvironmentSpec, 'degrade'>): boolean {
  return !availability.usable && availability.degradable === true && degrade.includes(layer)
}

/** What `bulkhead setup` would still do. Whatever cannot be found out about it is no reason to say nothing of the rest. */
async function openSetup(app: CommandApp, spec: EnvironmentSpec): Promise<readonly string[]> {
  try {
    const parts = await (await app.setup()).describe('install', spec, { accounts: null })
    return parts.flatMap(({ steps }) => steps)
  } catch {
    return []
  }
}

function describe(checks: readonly Check[], reports: readonly EnvironmentReport[]): string[] {
  const hosts = checks.map(({ name, ok, detail, remedy }) => [ok ? 'ok' : 'MISSING', name, ok ? detail : `${detail}; ${remedy}`])
  return [...table(hosts), ...reports.flatMap((report) => ['', ...describeEnvironment(report)])]
}

function describeEnvironment(report: EnvironmentReport): string[] {
  const { name, isDefault, layers, setup, evidence, failure } = report
  const proof = (evidence ?? []).map(({ layer, claim, held, detail }) => `  ${held ? 'held  ' : 'BROKEN'}  ${layer} ${claim}: ${detail}`)
  return [
    `environment ${name}${isDefault ? ' (default)' : ''}`,
    ...table(layers.map((layer) => layerRow(layer, report))).map((line) => `  ${line}`),
    ...(setup.length === 0
      ? []
      : [`  To do once, as an administrator: bulkhead setup ${name}`, ...setup.map((step) => escapeLine(`    ${step}`))]),
    ...proof.map((line) => escapeLine(line)),
    ...(failure === null ? [] : [escapeLine(`  FAILED: ${failure.message}${failure.remedy === null ? '' : `; ${failure.remedy}`}`)]),
  ]
}

function layerRow(report: LayerReport, environment: Pick<EnvironmentSpec, 'degrade'>): string[] {
  const { layer, plugin, availability } = report
  if (availability.usable) return [availability.tier, layer, plugin, availability.detail]
  const how = isDegraded(report, environment) ? 'none, as configured' : 'UNUSABLE'
  return [how, layer, plugin, `${availability.reason}; ${availability.remedy}`]
}
