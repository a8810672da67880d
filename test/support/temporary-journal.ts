import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Journal, Liveness } from '../../core/contracts/index.ts'
import { openJournal } from '../../core/journal/index.ts'
import { isProcessAlive } from './process-identity.ts'

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-test-'))
  onTestFinished(() => {
    try {
      rmSync(directory, { recursive: true, force: true })
    } catch (error) {
      // Windows: the driver closes a database only when its last statement was collected.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    }
  })
  return directory
}

/** A real journal in a directory that goes when the test ends. */
export function temporaryJournal(isAlive: Liveness = isProcessAlive): { journal: Journal; file: string } {
  const file = join(temporaryDirectory(), 'state', 'journal.db')
  const journal = openJournal({ file, isAlive })
  onTestFinished(() => journal[Symbol.dispose]())
  return { journal, file }
}
