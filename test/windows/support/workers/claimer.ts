import type { JournalEvent } from '../../../../core/contracts/index.ts'
import { openJournal } from '../../../../core/journal/index.ts'
import { isAlive, processIdentity } from '../../../../native/index.ts'

// A process that claims jobs under a lock and by compare-and-swap until none is left. Arguments: journal file.
using journal = openJournal({ file: process.argv[2] ?? '', isAlive })
const orchestrator = journal.register(processIdentity(process.pid))
// A pipe is written in the background on Windows.
await new Promise((resolve) => process.stdout.write('ready\n', resolve))
const isClaim = ({ type }: JournalEvent): boolean => type === 'job.claimed'
for (let open = journal.jobs(); open.length > 0; open = open.filter(({ id }) => !journal.events({ job: id }).some(isClaim))) {
  using lock = journal.lock('claim', orchestrator)
  for (const { id } of open.slice(0, 5)) {
    const events = journal.events({ job: id })
    if (events.some(isClaim)) continue
    journal.record({ orchestrator, job: id }, { plugin: 'x', data: null })
    // Without the lock the compare-and-swap alone must hold.
    journal.appendIf(id, events.at(-1)?.sequence ?? 0, 'job.claimed', { orchestrator, attempt: lock === undefined ? 2 : 1 })
  }
}
