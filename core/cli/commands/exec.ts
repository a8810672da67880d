import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isatty } from 'node:tty'
import type { CommandApp } from '../../compose-command.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { Policy } from '../../contracts/policy.ts'
import type { Stdio } from '../../contracts/sandbox.ts'
import { examples } from '../app.ts'
import type { ExecOptions } from '../exec/options.ts'
import { policyOf, workspaceOf } from '../exec/policy.ts'
import { type EventRecord, openRecord } from '../exec/record.ts'
import { exitCode, SignalRelay } from '../exec/signals.ts'
import { durationOption, listOption } from '../options.ts'
import type { Verb, VerbContext } from '../verb.ts'

export const exec: Verb = {
  register(program, context) {
    const command = program
      .command('exec')
      .usage('[options] -- COMMAND [ARGUMENTS...]')
      .argument('<command...>', 'program and arguments')
      .description('Run one command in an enforced workspace, and end with its exit code')
      .passThroughOptions()
      .option('-e, --environment <name>', 'environment of your configuration; "none" enforces nothing')
      .option('-w, --workspace <dir>', 'directory that the command sees and may change; default: the current one')
      .option('-r, --read <path>', 'also visible, read-only (repeatable)', listOption)
      .option('--write <path>', 'also visible, writable (repeatable)', listOption)
      .option('-a, --allow <host[:port]>', 'host that may be reached; ports 80 and 443 unless named (repeatable)', listOption)
      .option('--env <name[=value]>', 'variable that passes, or that is set (repeatable)', listOption)
      .option('-t, --time <duration>', 'end it after this long, with exit code 124')
      .option('--events <file>', 'append plans, evidence, denials and the end to this file, one JSON object per line')
      .option('--json', 'errors and denials on standard error as JSON')
      .option('--config <file>', 'your own configuration file, instead of the usual one')
    command.options.find(({ long }) => long === '--time')?.argParser(durationOption)
    command.action((argv: string[], options: ExecOptions) => act(context, argv, options))
    examples(command, [
      'bulkhead exec -- npm test',
      'bulkhead exec --allow registry.example.com -- npm install',
      'bulkhead exec --read ~/.m2 --env CI=true --env API_KEY --time 10m -- mvn verify',
      'bulkhead exec -- bash',
    ])
    command.addHelpText(
      'after',
      '\nThe policy is that of your own configuration file, widened by what stands on this command line. Files of the repository are not read.' +
        '\nExit codes: those of the command, 128 + n when signal n ended it, 124 after --time, 126 not executable, 127 not found, 125 for any failure of Bulkhead.',
    )
  },
}

/** Exit code after `--time`, as timeout(1) has it. */
const timedOut = 124

async function act(context: VerbContext, argv: readonly string[], options: ExecOptions): Promise<void> {
  const directory = workspaceOf(context, options)
  // Repositories, the journal and the scheduler are never loaded here.
  const { composeCommand } = await import('../../compose-command.ts')
  const app = await composeCommand({
    directory: context.directory,
    variables: context.variables,
    configFile: options.config === undefined ? null : resolve(context.directory, options.config),
    environment: options.environment ?? null,
  })
  using record = openRecord(context, options)
  try {
    const policy = await policyOf(context, app.configuration.policy, options)
    await runCommand(context, app, record, { argv, directory, policy, time: options.time })
  } finally {
    await app[Symbol.asyncDispose]()
  }
}

interface CommandRun {
  readonly argv: readonly string[]
  readonly directory: string
  readonly policy: Policy
  readonly time: number | undefined
}

async function runCommand(context: VerbContext, app: CommandApp, record: EventRecord, run: CommandRun): Promise<void> {
  const { environment, environments } = app.configuration
  const chosen = environments[environment]
  if (chosen === undefined) throw new BulkheadError('internal', `environment "${environment}" got lost`)
  const { uid, gid } = statSync(run.directory)
  const abort = new AbortController()
  const signals = new SignalRelay(abort)
  try {
    const enforced = await app.enforcement.enter({
      job: `exec-${process.pid}`,
      environment: chosen,
      policy: run.policy,
      workspace: { path: run.directory, gitDirectory: null, objectStores: [], owner: { uid, gid } },
      command: { argv: run.argv, directory: run.directory, environment: {} },
      stdio: stdio(),
      signal: abort.signal,
      onDenial: (denial) => record.denied(denial),
    })
    let timer: NodeJS.Timeout | undefined
    let late = false
    try {
      record.write({ type: 'prepared', plans: enforced.plan.layers, degraded: enforced.plan.degraded })
      record.write({ type: 'verified', evidence: enforced.evidence })
      signals.attach(enforced.sandbox)
      await enforced.sandbox.start()
      record.write({ type: 'started', argv: run.argv, ...enforced.sandbox.process })
      if (run.time !== undefined) {
        timer = setTimeout(() => {
          late = true
          enforced.sandbox.kill()
        }, run.time)
      }
      const exit = await enforced.sandbox.exited
      record.write({ type: 'exited', ...exit, reason: late ? 'time' : 'exited' })
      context.exit(late ? timedOut : exitCode(exit))
    } finally {
      clearTimeout(timer)
      await enforced[Symbol.asyncDispose]()
    }
  } catch (error) {
    if (signals.exit === null || !BulkheadError.is(error) || error.code !== 'interrupted') throw error
    context.exit(signals.exit)
  } finally {
    signals[Symbol.dispose]()
  }
}

/** The command gets a terminal of its own where it would have had one, so that it cannot type into ours. */
function stdio(): Stdio {
  if (!isatty(0) || !isatty(1)) return { kind: 'inherit' }
  const { columns, rows } = process.stdout
  return { kind: 'terminal', columns, rows }
}
