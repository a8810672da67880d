import { StringDecoder } from 'node:string_decoder'
import { createReadStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { followEvents } from '../follow.ts'
import { Interrupt } from '../interrupt.ts'
import { escapeText } from '../render/escape.ts'
import type { Verb, VerbContext } from '../verb.ts'

interface LogsOptions extends CommonOptions {
  readonly follow?: boolean
  readonly events?: boolean
  readonly raw?: boolean
}

/** Milliseconds between looks at a log that is followed. */
const pollMs = 150
const unsettled = ['queued', 'preparing', 'running', 'waiting', 'merging']

export const logs: Verb = {
  register(program, context) {
    const command = onRepository(program.command('logs'))
      .argument('<job>', 'name or id')
      .description('Show what an agent wrote, with control characters made visible')
      .option('-f, --follow', 'go on until the job has ended')
      .option('--events', 'what happened to the job, instead of what its agent wrote')
      .option('--raw', 'the very bytes; not to a terminal')
    withJson(command, 'events, one per line,')
    command.action((name: string, options: LogsOptions) => act(context, name, options))
    examples(command, [
      'bulkhead logs fix-flaky-test',
      'bulkhead logs -f fix-flaky-test',
      'bulkhead logs fix-flaky-test --events',
      'bulkhead logs fix-flaky-test --raw > agent.log',
    ])
  },
}

async function act(context: VerbContext, name: string, options: LogsOptions): Promise<void> {
  const { terminal } = context
  if (options.raw === true && terminal.live) {
    throw new BulkheadError('usage_invalid', 'an agent’s raw output could take over your terminal', {
      remedy: 'Redirect it into a file, or leave out --raw.',
    })
  }
  using interrupt = new Interrupt()
  await inRepository(context, options, async (app) => {
    const { spec } = app.job(name)
    const follow = options.follow === true
    const goOn = (): boolean => follow && !interrupt.stop.aborted && unsettled.includes(app.job(spec.id).status)
    if (options.json === true || options.events === true) {
      using events = followEvents(app, terminal, { json: options.json === true, jobs: new Set([spec.id]), after: 0 })
      events.now()
      while (goOn()) await delay(pollMs, undefined, { signal: interrupt.stop }).catch(() => {})
    } else await copy(app.logFile(spec), context, { raw: options.raw === true, goOn })
    if (interrupt.exit !== null) context.exit(interrupt.exit)
  })
}

async function copy(path: string, { terminal }: VerbContext, { raw, goOn }: { raw: boolean; goOn: () => boolean }): Promise<void> {
  // A character may be cut by the end of a read.
  const decoder = new StringDecoder('utf8')
  let position = 0
  for (let more = true; more;) {
    // Asked first: what was written before the end is read after it.
    more = goOn()
    for await (const chunk of chunksFrom(path, position)) {
      position += chunk.length
      terminal.raw(raw ? chunk : escapeText(decoder.write(chunk)))
    }
    if (more) await delay(pollMs)
  }
  if (!raw) terminal.raw(escapeText(decoder.end()))
}

/** What stands in the file from `position` on; nothing when it does not exist yet. */
async function* chunksFrom(path: string, position: number): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { start: position })) yield chunk as Buffer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
