import type { RepositoryApp } from '../../compose.ts'
import type { JobView } from '../../contracts/job.ts'
import type { Terminal } from '../terminal.ts'
import { jobRow } from './job.ts'
import { fit, table } from './table.ts'

const frameMs = 200
const shownJobs = 12
const atWork = ['preparing', 'running', 'waiting', 'merging']

/** Jobs at work below, everything else scrolls past above. Redrawn in place; the cursor is never left hidden. */
export class Progress implements Disposable {
  readonly #app: RepositoryApp
  readonly #terminal: Terminal
  readonly #asked: ReadonlySet<string> | null
  readonly #timer: NodeJS.Timeout
  #drawn = 0

  constructor(app: RepositoryApp, terminal: Terminal, jobs: readonly string[] | 'all') {
    this.#app = app
    this.#terminal = terminal
    this.#asked = jobs === 'all' ? null : new Set(jobs)
    this.#timer = setInterval(() => this.#draw([]), frameMs)
  }

  /** Prints a line above the table. */
  above(line: string): void {
    this.#draw([line])
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#terminal.raw(this.#erase())
    this.#drawn = 0
  }

  #draw(lines: readonly string[]): void {
    const below = this.#table().map((line) => fit(line, this.#terminal.columns - 1))
    // One write, so that a slow terminal never shows half a frame.
    this.#terminal.raw(`${this.#erase()}${[...lines, ...below].map((line) => `${line}\n`).join('')}`)
    this.#drawn = below.length
  }

  #erase(): string {
    // From the first column: the terminal has shown a ^C where the cursor was.
    return this.#drawn === 0 ? '' : `\r\u001b[${this.#drawn}A\u001b[J`
  }

  #table(): string[] {
    const jobs = this.#app.jobs().filter(({ spec, removed }) => !removed && this.#asked?.has(spec.id) !== false)
    const working = jobs.filter(({ status }) => atWork.includes(status))
    const now = Date.now()
    const rows = working.slice(0, shownJobs).map((view) => jobRow(view, now))
    return [count(jobs), ...(rows.length === 0 ? [] : table(rows))]
  }
}

function count(jobs: readonly JobView[]): string {
  const counts = new Map<string, number>()
  for (const { status } of jobs) counts.set(status, (counts.get(status) ?? 0) + 1)
  return `── ${[...counts].map(([status, number]) => `${number} ${status}`).join(', ')} ──`
}
