import type { ChildProcess } from 'node:child_process'
import { readdirSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode } from '../../../core/contracts/index.ts'
import { openDatabase } from '../../../core/journal/database.ts'
import type { CliWorld } from '../command-line.ts'
import type { Capability } from '../host.ts'

/** Something a user does wrong, or that is wrong with the machine, and the one line that says so. */
export interface Mistake {
  readonly code: ErrorCode
  /** What the user did. */
  readonly what: string
  /** Brings the world into the state in which it is a mistake. */
  readonly make: (world: CliWorld) => Call | Promise<Call>
}

export interface Call {
  readonly argv: readonly string[]
  /** Standard error, whole: one line for each thing that is wrong. A string is the very line. */
  readonly says: string | RegExp | readonly string[]
  /** Beside those of the world. */
  readonly variables?: NodeJS.ProcessEnv
  readonly directory?: string
  /** In front of the built command line, which is then a process of its own: `[]`, or a program that changes what it may do. */
  readonly process?: readonly string[]
  readonly needs?: Capability
  /** What was done before it went wrong is on standard output. */
  readonly prints?: true
  /** The attempt is an event of the job. */
  readonly records?: true
  /** The same mistake with --json; by default the same again, since nothing was changed. null: once is enough. */
  readonly machine?: readonly string[] | null
  /** What happens at the same time, until the command has ended. */
  readonly meanwhile?: (world: CliWorld, ended: AbortSignal, child: ChildProcess | undefined) => Promise<void>
}

/** What a mistake must leave as it is: every file of the user's, what refs name, what git has staged, and how many events there are. */
export function snapshot(world: CliWorld, { records, meanwhile }: Call): object {
  const own = meanwhile === undefined ? /^\.git\/(objects|worktrees|refs\/bulkhead)\b/ : /^\.git\b/
  const files = [
    ...listing(world.repository, '', (path) => own.test(path)),
    ...listing(world.home, '', (path) => path.startsWith('.local')),
  ]
  return { files, ...(records !== true && { events: eventsOf(world) }) }
}

function listing(root: string, below: string, leftOut: (path: string) => boolean): string[] {
  return readdirSync(join(root, below)).flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`
    if (leftOut(path)) return []
    const { mode, size, mtimeMs } = lstatSync(join(root, path))
    const directory = (mode & 0o170000) === 0o040000
    return [`${path} ${mode.toString(8)} ${directory ? '' : `${size} ${mtimeMs}`}`, ...(directory ? listing(root, path, leftOut) : [])]
  })
}

export function eventsOf(world: CliWorld): number {
  try {
    using database = openDatabase(journalOf(world), 1_000)
    return (database.get('SELECT count(*) AS count FROM events') as { count: number }).count
  } catch {
    // There is none, or none that can be read.
    return 0
  }
}

/** The file of the journal, which must exist. */
export function journalOf(world: CliWorld): string {
  const state = join(world.home, '.local/state/bulkhead')
  const file = join(state, readdirSync(state).find((name) => name.startsWith('repo-')) ?? '', 'journal.db')
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw new Error('there is no journal')
  return file
}
