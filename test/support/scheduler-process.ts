import { setTimeout as delay } from 'node:timers/promises'
import { openJournal } from '../../core/journal/index.ts'
import { Presence, Scheduler } from '../../core/scheduler/index.ts'
import type { Liveness } from '../../core/contracts/index.ts'
import { isProcessAlive, ownIdentity } from './process-identity.ts'
import { quiet } from './quiet.ts'

// A process that runs every job of a journal with a runner that only writes how it goes. Arguments: journal file, concurrency, and which third of the
// jobs it is after (then it looks for other jobs than the other processes do) or `all`.
/** Slow, so that there is time between counting what runs and claiming: without the lock around both, other processes would slip in. */
const isAlive: Liveness = (record) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  return isProcessAlive(record)
}

using journal = openJournal({ file: process.argv[2] ?? '', isAlive })
using presence = new Presence({ journal, self: ownIdentity() })
const runner = {
  run: async ({ spec }: { spec: { id: string } }): Promise<void> => {
    journal.append(spec.id, 'job.started', { pid: process.pid, startTime: '' })
    await delay(2 + Math.random() * 4)
    journal.append(spec.id, 'job.finished', { commit: null, tree: null, counts: { files: 0, insertions: 0, deletions: 0 } })
  },
}
const scheduler = new Scheduler({ journal, presence, runner, isAlive, logger: quiet, recover: async () => {}, pollMs: 5 })
const third = process.argv[4] ?? 'all'
const mine = journal.jobs().flatMap(({ id }, index) => (String(index % 3) === third ? [id] : []))
await scheduler.run({ jobs: third === 'all' ? 'all' : mine, concurrency: Number(process.argv[3]) })
