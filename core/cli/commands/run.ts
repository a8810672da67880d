import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RepositoryApp, RunOutcome } from '../../compose.ts'
import type { JobConfiguration } from '../../contracts/configuration.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { JobView } from '../../contracts/job.ts'
import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { followEvents } from '../follow.ts'
import { Interrupt } from '../interrupt.ts'
import { durationOption, listOption, numberOption } from '../options.ts'
import { escapeLine } from '../render/escape.ts'
import { Progress } from '../render/progress.ts'
import type { Verb, VerbContext } from '../verb.ts'

interface RunOptions extends CommonOptions {
  readonly file?: string
  readonly agent?: string
  readonly name?: string
  readonly needs?: string[]
  readonly priority?: number
  readonly concurrency?: number
  readonly time?: number
  readonly target?: string
}

export const run: Verb = {
  register(program, context) {
    const command = onRepository(program.command('run'))
      .argument('[prompt]', 'what the agent is asked to do; - reads it from standard input; without it, whatever is queued runs')
      .description('Queue jobs and run them, each in its own enforced workspace, until all are done')
      .option('-f, --file <file>', 'jobs from a YAML file: {jobs: [...]}')
      .option('-a, --agent <name>', 'agent of the configuration')
      .option('-n, --name <name>', 'name of the job; default: made from the prompt')
      .option('--needs <job>', 'a job that must be finished first (repeatable)', listOption)
      .option('-p, --priority <number>', 'higher first', numberOption(-1000, 1000))
      .option('-e, --environment <name>', 'environment of the configuration')
      .option('-j, --concurrency <number>', 'jobs at once', numberOption(1, 256))
      .option('-t, --time <duration>', 'longest time of one attempt, not more than the policy allows', durationOption)
      .option('--target <branch>', 'branch that approved work lands on')
    withJson(command, 'events, one per line,')
    command.action((prompt: string | undefined, options: RunOptions) => act(context, prompt, options))
    examples(command, [
      'bulkhead run "Rename Foo to Bar everywhere"',
      'bulkhead run -f jobs.yaml --concurrency 8',
      'bulkhead run --name docs --needs api "Document the new API"',
      'cat task.md | bulkhead run - --name big-task --time 45m',
      'bulkhead run          # goes on with what is queued, for instance after Ctrl-C',
    ])
    note(command)
  },
}

function note(command: Command): void {
  command.addHelpText(
    'after',
    '\nCtrl-C stops running jobs and puts them back into the queue; SIGTERM lets them end first. A second signal is not waited for.\nExit codes: 0 all done, 1 a job failed, 130 or 143 stopped; others as in bulkhead --help.',
  )
}

async function act(context: VerbContext, prompt: string | undefined, options: RunOptions): Promise<void> {
  if (prompt !== undefined && options.file !== undefined) {
    throw new BulkheadError('usage_invalid', 'both a prompt and a jobs file are given', { remedy: 'Give one of them.' })
  }
  const json = options.json === true
  // Above the live table while there is one, which would be drawn over it.
  let say = (line: string): void => context.terminal.note(line)
  using interrupt = new Interrupt({
    term: 'drain',
    onSignal: (what, signal) => {
      say(
        what === 'drain'
          ? `${signal}: running jobs may end; once more stops them`
          : `${signal}: stopping; what runs goes back to the queue`,
      )
    },
  })
  await inRepository(context, options, async (app) => {
    const jobs = await jobsToSubmit(app, context, prompt, options)
    const before = app.journal.events().at(-1)?.sequence ?? 0
    const specs = jobs.length === 0 ? [] : await app.submit(jobs)
    const wanted = specs.length === 0 ? 'all' : specs.map(({ id }) => id)
    const { concurrency } = await app.configuration()
    for (const line of await app.recover()) context.terminal.note(escapeLine(line))
    if (interrupt.exit !== null) return context.exit(interrupt.exit)
    if (!app.jobs().some(({ removed, status }) => !removed && open.includes(status))) {
      say('Nothing is queued. Start a job with: bulkhead run "what to do"')
    }

    const progress = context.terminal.live && !json ? new Progress(app, context.terminal, wanted) : undefined
    if (progress !== undefined) say = (line) => progress.above(line)
    const follow = followEvents(app, context.terminal, {
      json,
      after: before,
      ...(progress && { print: (line: string) => progress.above(line) }),
    })
    let outcome: RunOutcome
    try {
      const request = {
        jobs: wanted,
        concurrency: options.concurrency ?? concurrency,
        drain: interrupt.drain,
        signal: interrupt.stop,
      } as const
      outcome = await app.run(request)
    } finally {
      follow[Symbol.dispose]()
      progress?.[Symbol.dispose]()
      say = (line) => context.terminal.note(line)
    }
    summarize(context, outcome, { json, asked: wanted === 'all' ? null : new Set(wanted), exit: interrupt.exit })
  })
}

/** What the command line asks for; without a prompt and a file, the jobs of the configuration that do not exist yet. */
async function jobsToSubmit(
  app: RepositoryApp,
  context: VerbContext,
  prompt: string | undefined,
  options: RunOptions,
): Promise<readonly JobConfiguration[]> {
  const configuration = await app.configuration()
  const overrides = {
    ...(options.agent !== undefined && { agent: options.agent }),
    ...(options.target !== undefined && { target: options.target.startsWith('refs/') ? options.target : `refs/heads/${options.target}` }),
    ...(options.priority !== undefined && { priority: options.priority }),
  }
  const timed = (job: JobConfiguration): JobConfiguration =>
    options.time === undefined ? job : { ...job, policy: limited(job.policy ?? configuration.policy, options.time) }
  if (prompt !== undefined) {
    const text = prompt === '-' ? promptFromInput() : prompt
    if (text.trim() === '' || text.includes('\0'))
      throw new BulkheadError('usage_invalid', 'the prompt is empty or holds a NUL character', { remedy: 'Say what the agent is to do.' })
    const plain = {
      environment: null,
      retry: null,
      policy: null,
      gates: null,
      target: null,
      base: null,
      setup: null,
      agent: null,
      priority: 0,
    }
    return [timed({ ...plain, name: options.name ?? null, prompt: text, needs: options.needs ?? [], ...overrides })]
  }
  if (options.name !== undefined || options.needs !== undefined) {
    throw new BulkheadError('usage_invalid', '--name and --needs are for one job with a prompt', {
      remedy: 'Give a prompt, or write them into the jobs file.',
    })
  }
  if (options.file !== undefined) {
    return (await app.jobsOf(resolve(context.directory, options.file))).map((job) => timed({ ...job, ...overrides }))
  }
  const taken = new Set(
    app
      .jobs()
      .filter(({ removed }) => !removed)
      .map(({ spec }) => spec.name),
  )
  // A job without a name could not be told from one that was run before.
  return configuration.jobs.filter(({ name }) => name !== null && !taken.has(name)).map((job) => timed({ ...job, ...overrides }))
}

function promptFromInput(): string {
  try {
    return readFileSync(0, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new BulkheadError('usage_invalid', `the prompt cannot be read from standard input (${code})`, {
      remedy: 'Redirect a file into it, or pipe into it.',
      cause,
    })
  }
}

function limited(policy: NonNullable<JobConfiguration['policy']>, timeMs: number): NonNullable<JobConfiguration['policy']> {
  const most = policy.limits.timeMs
  if (most !== null && timeMs > most) {
    throw new BulkheadError('usage_invalid', '--time is more than policy.limits.time allows', {
      remedy: 'Raise it in your own configuration file.',
    })
  }
  return { ...policy, limits: { ...policy.limits, timeMs } }
}

const open = ['queued', 'preparing', 'running', 'waiting']
const unsuccessful = ['failed', 'cancelled']

function summarize(
  context: VerbContext,
  { jobs, stopped }: RunOutcome,
  about: { readonly json: boolean; readonly asked: ReadonlySet<string> | null; readonly exit: number | null },
): void {
  const mine = jobs.filter(({ spec, removed }) => !removed && (about.asked === null || about.asked.has(spec.id)))
  const failed = mine.filter(({ status }) => unsuccessful.includes(status))
  if (!about.json) {
    for (const line of advice(mine)) context.terminal.note(line)
  }
  if (stopped !== null) return context.exit(about.exit ?? 1)
  // Without names, old failures are listed by `bulkhead ls`; the run itself did what it could.
  if (failed.length > 0 && about.asked !== null) context.exit(1)
}

function advice(jobs: readonly JobView[]): string[] {
  const reviewable = jobs.filter(({ status, tree }) => status === 'finished' && tree !== null).map(({ spec }) => spec.name)
  const queued = jobs.filter(({ status }) => status === 'queued').length
  return [
    ...(reviewable.length === 0
      ? []
      : [
          `To review: ${reviewable
            .slice(0, 5)
            .map((name) => `bulkhead diff ${name}`)
            .join(', ')}${reviewable.length > 5 ? ', …' : ''}`,
        ]),
    ...(queued === 0 ? [] : [`${queued} queued; go on with: bulkhead run`]),
  ]
}
