import { openJournal } from '../../core/journal/index.ts'
import { isProcessAlive, ownIdentity } from './process-identity.ts'

// A process that claims jobs as fast as it can, under a lock and by compare-and-swap, until none is left. Arguments: journal file.
const file = process.argv[2] ?? ''
using journal = openJournal({ file, isAlive: isProcessAlive })
const orchestrator = journal.register(ownIdentity())
const claimed = new Set<string>()
process.stdout.write('ready\n')
for (;;) {
  const open = journal.jobs().filter((job) => !claimed.has(job.id))
  if (open.length === 0) break
  using lock = journal.lock('claim', orchestrator)
  for (const job of open.slice(0, 5)) {
    const events = journal.events({ job: job.id })
    if (events.some((event) => event.type === 'job.claimed')) {
      claimed.add(job.id)
      continue
    }
    // Without the lock the compare-and-swap alone must hold.
    const data = { orchestrator, attempt: lock === undefined ? 2 : 1 }
    journal.record({ orchestrator, job: job.id }, { plugin: 'x', data: null })
    journal.appendIf(job.id, events.at(-1)?.sequence ?? 0, 'job.claimed', data)
  }
}
