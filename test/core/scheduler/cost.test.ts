import { expect, test } from 'vitest'
import { deriveJobs } from '../../../core/scheduler/index.ts'
import { stage } from '../../support/scheduling.ts'

test('1,000 jobs that do nothing cost the scheduler and the journal little each', { timeout: 60_000 }, async () => {
  const { scheduler, journal, submit } = stage()
  submit(...Array.from({ length: 1_000 }, () => ({})))
  const begin = performance.now()
  const outcome = await scheduler.run({ jobs: 'all', concurrency: 8 })
  const each = (performance.now() - begin) / 1_000
  expect(outcome.jobs.filter((view) => view.status === 'finished')).toHaveLength(1_000)
  expect(journal.events()).toHaveLength(7_000)
  const listing = performance.now()
  expect(deriveJobs(journal)).toHaveLength(1_000)
  const listed = performance.now() - listing
  // Six durable events each. Measured on a quiet machine: 2.5 ms per job, 60 ms for the list; the bounds leave room for a slow disk.
  expect(each).toBeLessThan(25)
  expect(listed).toBeLessThan(500)
  if (process.env['BULKHEAD_BENCH'] === '1')
    process.stdout.write(`scheduler: ${each.toFixed(2)} ms per job, list ${listed.toFixed(0)} ms\n`)
})
