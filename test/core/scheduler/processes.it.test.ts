import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { deriveJobs } from '../../../core/scheduler/index.ts'
import { packageRoot } from '../../support/host.ts'
import { jobSpec } from '../../support/job-spec.ts'
import { temporaryJournal } from '../../support/temporary-journal.ts'

// Those after the same jobs race for each job; those after different jobs race for the last free place.
test.each([['the same jobs', ['all', 'all', 'all']] as const, ['different jobs', ['0', '1', '2']] as const])(
  'three processes after %s: every job runs once, and never more at once than allowed over all of them',
  async (_, wishes) => {
    const { journal, file } = temporaryJournal()
    const jobs = Array.from({ length: 120 }, () => jobSpec())
    journal.submit(jobs)
    const script = join(packageRoot, 'test', 'support', 'scheduler-process.ts')
    const children = wishes.map((wish) =>
      spawn(process.execPath, ['--import', 'tsx', script, file, '4', wish], { cwd: packageRoot, stdio: ['ignore', 'ignore', 'inherit'] }),
    )
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown))
    expect(codes).toEqual([0, 0, 0])
    expect(deriveJobs(journal).map(({ status, attempt }) => [status, attempt])).toEqual(jobs.map(() => ['finished', 1]))
    const claims = journal.events().filter((event) => event.type === 'job.claimed')
    expect(claims).toHaveLength(jobs.length)
    expect(new Set(claims.map((event) => event.data.orchestrator)).size).toBeGreaterThan(1)
    // The journal's order is the order in which it happened, over all processes.
    let now = 0
    const atOnce = journal.events().map(({ type }) => (now += type === 'job.claimed' ? 1 : type === 'job.finished' ? -1 : 0))
    expect(Math.max(...atOnce)).toBe(4)
  },
)
