import { readdirSync, readFileSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BulkheadError } from '../contracts/error.ts'
import { makeDirectories } from '../contracts/directories.ts'
import type { Journal, OrchestratorRecord, ReceiptOwner } from '../contracts/journal.ts'
import type { Receipt } from '../contracts/layer.ts'

export interface ReceiptFilesOptions {
  /** Absolute; made when the first receipt is stored, mode 0700. */
  readonly directory: string
  readonly self: OrchestratorRecord
}

type Stored = ReturnType<Journal['receipts']>[number]

/**
 * Receipts without a database, for a process that runs one command and must start fast: a directory for each process, a small file for each
 * receipt. Written in full before it gets its name, so it survives the death of the process at any instruction; it is not forced to the
 * disk, since after a power cut neither it nor what it undoes is still at work.
 */
export class ReceiptFiles implements Pick<Journal, 'record' | 'settle' | 'receipts' | 'orchestrators' | 'lock'> {
  readonly #options: ReceiptFilesOptions
  /** Path by receipt id; ids are of this process only. */
  readonly #paths = new Map<number, string>()
  #last = 0

  constructor(options: ReceiptFilesOptions) {
    this.#options = options
  }

  /** Names this process. */
  get id(): string {
    return `${this.#options.self.pid}-${this.#options.self.startTime}`
  }

  record({ job }: ReceiptOwner, receipt: Receipt): number {
    const id = ++this.#last
    const directory = join(this.#options.directory, this.id)
    const path = join(directory, `${id}.json`)
    try {
      makeDirectories(directory)
      writeFileSync(`${path}.new`, JSON.stringify({ job, receipt }), { flag: 'wx', mode: 0o600 })
      renameSync(`${path}.new`, path)
    } catch (cause) {
      throw this.#failed(cause)
    }
    this.#paths.set(id, path)
    return id
  }

  settle(id: number): void {
    const path = this.#paths.get(id)
    if (path === undefined) return
    this.#paths.delete(id)
    try {
      unlinkSync(path)
      // Removes the directory with its last receipt; ENOTEMPTY until then.
      rmdirSync(join(path, '..'))
    } catch (cause) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw this.#failed(cause)
    }
  }

  receipts(): readonly Stored[] {
    return this.orchestrators().flatMap(({ id: orchestrator }) => {
      const directory = join(this.#options.directory, orchestrator)
      const files = this.#names(directory).filter((name) => /^\d+\.json$/.test(name))
      // A process that died between its directory and its first receipt had done nothing yet.
      if (files.length === 0 && orchestrator !== this.id) rmSync(directory, { recursive: true, force: true })
      return files.flatMap((name) => this.#read(orchestrator, join(directory, name)))
    })
  }

  orchestrators(): ReturnType<Journal['orchestrators']> {
    return this.#names(this.#options.directory).flatMap((id) => {
      const [, pid, startTime] = /^(\d+)-(\d+)$/.exec(id) ?? []
      return pid === undefined || startTime === undefined ? [] : [{ id, pid: Number(pid), startTime, heartbeatAt: 0 }]
    })
  }

  /** Always held: what is done under it here is recovery alone, and plugins undo idempotently, also twice at once. */
  lock(): Disposable {
    return { [Symbol.dispose]: () => {} }
  }

  #read(orchestrator: string, path: string): Stored[] {
    const known = [...this.#paths].find(([, other]) => other === path)?.[0]
    const id = known ?? ++this.#last
    try {
      const { job, receipt } = JSON.parse(readFileSync(path, 'utf8')) as { job: string; receipt: Receipt }
      this.#paths.set(id, path)
      return [{ id, orchestrator, job, receipt }]
    } catch (cause) {
      // Settled by another process meanwhile.
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw this.#failed(cause)
    }
  }

  #names(directory: string): string[] {
    try {
      return readdirSync(directory)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw this.#failed(cause)
    }
  }

  #failed(cause: unknown): BulkheadError {
    const code = (cause as NodeJS.ErrnoException).code
    const { directory } = this.#options
    if (code === 'ENOSPC' || code === 'EDQUOT') return new BulkheadError('host_no_space', 'the disk is full', { where: directory, cause })
    return new BulkheadError('journal_failed', `receipts cannot be kept in ${directory} (${code ?? String(cause)})`, {
      where: directory,
      cause,
    })
  }
}
