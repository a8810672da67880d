import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { BulkheadError } from '../contracts/error.ts'
import type { Liveness, OrchestratorRecord } from '../contracts/journal.ts'
import type { Receipt } from '../contracts/layer.ts'
import type { SetupLedger } from '../contracts/setup.ts'

export interface SetupFilesOptions {
  /** Absolute; made when the first receipt is stored, mode 0700. */
  readonly directory: string
  readonly self: OrchestratorRecord
  readonly isAlive: Liveness
}

const fileShape = z.array(z.unknown())
const holderShape = z.object({ pid: z.number(), startTime: z.string() })

/**
 * Receipts of setting up, a file of JSON for each plugin. Unlike receipts of a launch they are no debt of a dead process: they stay for as
 * long as the machine is set up, also over a power cut.
 */
export class SetupFiles implements SetupLedger {
  readonly #options: SetupFilesOptions

  constructor(options: SetupFilesOptions) {
    this.#options = options
  }

  receipts(plugin: string): readonly Receipt[] {
    const path = this.#path(`${plugin}.json`)
    const text = this.#guarded(() => readIfThere(path))
    if (text === undefined) return []
    try {
      return fileShape.parse(JSON.parse(text)).map((data) => ({ plugin, data }))
    } catch (cause) {
      throw new BulkheadError('journal_corrupt', 'the record of what was set up cannot be read', {
        where: path,
        remedy: 'Remove the file; undoing then finds by itself what it can.',
        cause,
      })
    }
  }

  record({ plugin, data }: Receipt): void {
    const all = [...this.receipts(plugin).map((receipt) => receipt.data), data]
    const path = this.#path(`${plugin}.json`)
    this.#guarded(() => {
      mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 })
      const descriptor = openSync(`${path}.new`, 'w', 0o600)
      try {
        writeFileSync(descriptor, JSON.stringify(all))
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      renameSync(`${path}.new`, path)
    })
  }

  settle(plugin: string): void {
    this.#guarded(() => rmSync(this.#path(`${plugin}.json`), { force: true }))
  }

  lock(): Disposable | undefined {
    const path = this.#path('lock')
    const mine = JSON.stringify(this.#options.self)
    return this.#guarded(() => {
      mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 })
      if (!this.#make(path, mine)) {
        if (this.#isHeld(path)) return undefined
        rmSync(path, { force: true })
        // Somebody who took it in between has it.
        if (!this.#make(path, mine)) return undefined
      }
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
    })
  }

  #make(path: string, text: string): boolean {
    try {
      writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  /** A holder that cannot be read died while it wrote its name. */
  #isHeld(path: string): boolean {
    const holder = holderShape.safeParse(parsed(readIfThere(path)))
    return holder.success && this.#options.isAlive(holder.data)
  }

  #path(name: string): string {
    return join(this.#options.directory, name)
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code
      const { directory } = this.#options
      if (code === 'ENOSPC' || code === 'EDQUOT') throw BulkheadError.from(cause, 'host_no_space', { where: directory })
      throw new BulkheadError(
        'journal_failed',
        `what was set up is recorded in ${directory}, which cannot be used (${code ?? String(cause)})`,
        {
          where: directory,
          remedy: 'Make the directory writable for you, or set BULKHEAD_STATE to one that is.',
          cause,
        },
      )
    }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
