import { BulkheadError } from '../../core/contracts/index.ts'
import { openJournal } from '../../core/journal/index.ts'

// Writes events until an error comes and prints its code and how many were written. Arguments: journal file.
let written = 0
try {
  using journal = openJournal({ file: process.argv[2] ?? '', isAlive: () => true })
  for (; written < 1_000; written++) journal.append(null, 'queue.paused', { by: 'x'.repeat(4_000) })
} catch (error) {
  process.stdout.write(JSON.stringify({ code: BulkheadError.is(error) ? error.code : String(error), written }))
}
