import type { RepositoryApp } from '../compose.ts'
import type { JournalEvent } from '../contracts/event.ts'
import { eventLine } from './render/event.ts'
import type { Terminal } from './terminal.ts'

/** Milliseconds between looks at the journal. */
const pollMs = 150

export interface FollowOptions {
  readonly json: boolean
  /** Jobs by id; without: all. */
  readonly jobs?: ReadonlySet<string>
  /** Events after this sequence; without: after the last one there is. */
  readonly after?: number
  /** Where lines go; default: standard output. */
  readonly print?: (line: string) => void
}

export interface Follow extends Disposable {
  /** Prints what happened since the last look. */
  now(): void
}

/** Prints events as they come, from any process, until it is disposed; what came until then is printed first. */
export function followEvents(app: RepositoryApp, terminal: Terminal, options: FollowOptions): Follow {
  const names = new Map<string, string>()
  let last = options.after ?? app.journal.events().at(-1)?.sequence ?? 0
  const nameOf = (job: string): string => {
    const known = names.get(job) ?? app.journal.find(job)?.name ?? job
    names.set(job, known)
    return known
  }
  const print = options.print ?? ((line: string) => terminal.out(line))
  const show = (event: JournalEvent): void => {
    const { job } = event
    if (job !== null && options.jobs?.has(job) === false) return
    if (options.json) return terminal.json(job === null ? event : { ...event, name: nameOf(job) })
    const line = eventLine(event, job === null ? 'bulkhead' : nameOf(job))
    if (line !== null) print(line)
  }
  const now = (): void => {
    for (const event of app.journal.events({ after: last })) {
      last = event.sequence
      show(event)
    }
  }
  const timer = setInterval(() => {
    try {
      now()
    } catch {
      // The journal is busy: the next look sees the same events.
    }
  }, pollMs)
  return {
    now,
    [Symbol.dispose]() {
      clearInterval(timer)
      now()
    },
  }
}
