import { statSync, writeSync, openSync, closeSync, constants, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { isatty } from 'node:tty'
import type { CommandApp } from '../../compose.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { Denial } from '../../contracts/event.ts'
import type { NetworkRule, Policy } from '../../contracts/policy.ts'
import type { Exit, Sandbox, Stdio } from '../../contracts/sandbox.ts'
import { examples } from '../app.ts'
import { durationOption, listOption } from '../options.ts'
import { escapeJson, escapeLine } from '../render/escape.ts'
import type { Verb, VerbContext } from '../verbs.ts'

interface ExecOptions {
  readonly environment?: string
  readonly workspace?: string
  readonly config?: string
  readonly read: string[]
  readonly write: string[]
  readonly allow: string[]
  readonly env: string[]
  readonly time?: number
  readonly events?: string
  readonly json?: boolean
}

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
      .option('-r, --read <path>', 'also visible, read-only (repeatable)', listOption, [])
      .option('--write <path>', 'also visible, writable (repeatable)', listOption, [])
      .option('-a, --allow <host[:port]>', 'host that may be reached; ports 80 and 443 unless named (repeatable)', listOption, [])
      .option('--env <name[=value]>', 'variable that passes, or that is set (repeatable)', listOption, [])
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
  // Compiled into machine code at the first use; nothing here needs repositories, the journal or the scheduler.
  const { composeCommand } = await import('../../compose.ts')
  const app = await composeCommand({
    directory: context.directory,
    variables: context.variables,
    configFile: options.config === undefined ? null : resolve(context.directory, options.config),
    environment: options.environment ?? null,
  })
  using record = openRecord(context, options)
  try {
    await runCommand(context, app, record, {
      argv,
      directory,
      policy: policyOf(context, app, options, await networkRules(options.allow)),
      time: options.time,
    })
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

async function networkRules(texts: readonly string[]): Promise<NetworkRule[]> {
  if (texts.length === 0) return []
  const { parseNetworkRule } = await import('../../config/network-rule.ts')
  return texts.map((text) => {
    const result = parseNetworkRule(text)
    if ('rule' in result) return result.rule
    throw new BulkheadError('usage_invalid', `--allow: ${result.problem}`, { remedy: result.remedy })
  })
}

/** The user's own policy and what the command line adds. Limits of time belong to jobs. */
function policyOf(context: VerbContext, app: CommandApp, options: ExecOptions, allow: readonly NetworkRule[]): Policy {
  const { policy } = app.configuration
  const existing = (option: string) => (text: string) => existingPath(context, option, text)
  const variables = options.env.map(variable)
  return {
    ...policy,
    filesystem: {
      ...policy.filesystem,
      read: [...policy.filesystem.read, ...options.read.map(existing('--read'))],
      write: [...policy.filesystem.write, ...options.write.map(existing('--write'))],
    },
    network: { allow: [...policy.network.allow, ...allow] },
    limits: { ...policy.limits, timeMs: options.time ?? null, stallMs: null, outputBytes: null },
    environment: {
      ...policy.environment,
      ...Object.fromEntries(variables.flatMap(({ name, value }) => (value === null ? [] : [[name, value]]))),
    },
    pass: [...new Set([...(policy.pass ?? []), ...variables.flatMap(({ name, value }) => (value === null ? [name] : []))])],
  }
}

function variable(text: string): { readonly name: string; readonly value: string | null } {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=([^]*))?$/.exec(text) ?? []
  if (name !== undefined) return { name, value: value ?? null }
  throw new BulkheadError('usage_invalid', `--env ${text} is not a variable`, {
    remedy: 'Write NAME to pass a variable or NAME=VALUE to set one.',
  })
}

function existingPath(context: VerbContext, option: string, text: string): string {
  try {
    return realpathSync(resolve(context.directory, text))
  } catch (cause) {
    throw new BulkheadError('usage_invalid', `${option} ${text} does not exist`, { remedy: 'Name a file or directory that exists.', cause })
  }
}

function workspaceOf(context: VerbContext, { workspace }: ExecOptions): string {
  const path = existingPath(context, '--workspace', workspace ?? context.directory)
  if (statSync(path).isDirectory()) return path
  throw new BulkheadError('usage_invalid', `--workspace ${path} is not a directory`, { remedy: 'Name the directory of one project.' })
}

/** The command gets a terminal of its own where it would have had one, so that it cannot type into ours. */
function stdio(): Stdio {
  if (!isatty(0) || !isatty(1)) return { kind: 'inherit' }
  const { columns, rows } = process.stdout
  return { kind: 'terminal', columns, rows }
}

function exitCode({ code, signal, killedByRule }: Exit): number {
  if (code !== null) return code
  return 128 + (signal === null ? 9 : (signalNumbers[signal] ?? (killedByRule === null ? 0 : 9)))
}

/** signal(7); the same on every architecture Linux has had for years, but for names nobody sends. */
const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
}

/** Passes signals on to the command; before it runs they stop the preparation. */
class SignalRelay implements Disposable {
  readonly #names = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const
  readonly #listener: (signal: NodeJS.Signals) => void
  #sandbox: Sandbox | null = null
  #exit: number | null = null

  constructor(abort: AbortController) {
    this.#listener = (signal) => {
      if (signal === 'SIGWINCH') {
        if (isatty(1)) this.#sandbox?.resize(process.stdout.columns, process.stdout.rows)
      } else if (this.#sandbox !== null) this.#sandbox.signal(signal)
      else {
        this.#exit ??= 128 + (signalNumbers[signal] ?? 15)
        abort.abort('shutdown')
      }
    }
    for (const name of this.#names) process.on(name, this.#listener)
  }

  /** Exit code for having been stopped before the command ran; null otherwise. */
  get exit(): number | null {
    return this.#exit
  }

  attach(sandbox: Sandbox): void {
    this.#sandbox = sandbox
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#listener)
  }
}

interface EventRecord extends Disposable {
  write(event: object): void
  denied(denial: Denial): void
}

/** Denials go to standard error when a person sees it; everything goes to `--events`. */
function openRecord(context: VerbContext, { events, json }: ExecOptions): EventRecord {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  let descriptor: number | undefined
  try {
    descriptor = events === undefined ? undefined : openSync(resolve(context.directory, events), flags, 0o600)
  } catch (cause) {
    throw new BulkheadError('usage_invalid', `--events ${events} cannot be opened (${(cause as NodeJS.ErrnoException).code})`, {
      remedy: 'Name a file that you can write.',
      cause,
    })
  }
  const write = (event: object): void => {
    if (descriptor !== undefined) writeSync(descriptor, `${escapeJson({ at: Date.now(), ...event })}\n`)
  }
  const visible = isatty(2)
  return {
    write,
    denied(denial) {
      write({ type: 'denial', ...denial })
      if (json === true) context.terminal.note(escapeJson({ type: 'denial', ...denial }))
      else if (visible) context.terminal.note(denialLine(denial))
    },
    [Symbol.dispose]: () => {
      if (descriptor !== undefined) closeSync(descriptor)
    },
  }
}

function denialLine({ action, object, layer, reason, remedy }: Denial): string {
  return escapeLine(`bulkhead: ${action} ${object} (${layer}: ${reason})${remedy === null ? '' : `; to allow it: ${remedy}`}`)
}
