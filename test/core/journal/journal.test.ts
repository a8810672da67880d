import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { describe, expect, test } from 'vitest'
import { BulkheadError, type OrchestratorRecord } from '../../../core/contracts/index.ts'
import { openJournal } from '../../../core/journal/index.ts'
import { jobSpec } from '../../support/job-spec.ts'
import { temporaryDirectory, temporaryJournal } from '../../support/temporary-journal.ts'

const alive = (): boolean => true
const someone: OrchestratorRecord = { pid: 4711, startTime: '99' }

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (BulkheadError.is(error)) return error.code
    throw error
  }
  return 'no error'
}

describe('jobs', () => {
  test('are kept whole, in order, and found by id and name', () => {
    const { journal } = temporaryJournal()
    const [first, second] = [jobSpec({ prompt: 'Fix "it"\u0000\u001b[31m \ud800' }), jobSpec()]
    journal.submit([first, second])
    expect(journal.jobs()).toEqual([first, second])
    expect(journal.find(first.id)).toEqual(first)
    expect(journal.find(second.name)).toEqual(second)
    expect(journal.find('nothing')).toBeUndefined()
    expect(journal.events().map(({ sequence, job, type, data }) => ({ sequence, job, type, data }))).toEqual([
      { sequence: 1, job: first.id, type: 'job.submitted', data: {} },
      { sequence: 2, job: second.id, type: 'job.submitted', data: {} },
    ])
  })

  test('all or none are stored when a name is taken', () => {
    const { journal } = temporaryJournal()
    const taken = jobSpec()
    journal.submit([taken])
    expect(codeOf(() => journal.submit([jobSpec(), jobSpec({ name: taken.name })]))).toBe('usage_invalid')
    expect(journal.jobs()).toEqual([taken])
    expect(journal.events()).toHaveLength(1)
  })

  test('give their name back when they are removed, and are then found by id only', () => {
    const { journal } = temporaryJournal()
    const old = jobSpec()
    journal.submit([old])
    journal.append(old.id, 'job.removed', { backup: null })
    expect(journal.find(old.name)).toBeUndefined()
    expect(journal.find(old.id)).toEqual(old)
    const next = jobSpec({ name: old.name })
    journal.submit([next])
    expect(journal.find(old.name)).toEqual(next)
    expect(journal.verify()).toBeUndefined()
  })
})

describe('events', () => {
  test('survive closing, and are filtered by job and sequence', () => {
    const { journal, file } = temporaryJournal()
    const job = jobSpec()
    journal.submit([job])
    const paused = journal.append(null, 'queue.paused', { by: 'ann' })
    const changed = journal.append(job.id, 'job.changed', { files: 1, insertions: 2, deletions: 3 })
    using again = openJournal({ file, isAlive: alive })
    expect(again.events({ after: 1 })).toEqual([paused, changed])
    expect(again.events({ job: job.id, after: 1 })).toEqual([changed])
    expect(again.events({ after: 3 })).toEqual([])
  })

  test('are appended by compare-and-swap on the last event of that job only', () => {
    const { journal } = temporaryJournal()
    const [job, other] = [jobSpec(), jobSpec()]
    journal.submit([job, other])
    expect(journal.appendIf(job.id, 1, 'job.cancel-requested', { by: 'ann' })?.sequence).toBe(3)
    expect(journal.appendIf(job.id, 1, 'job.cancelled', { by: 'bob' })).toBeUndefined()
    expect(journal.appendIf(other.id, 2, 'job.cancelled', { by: 'bob' })?.sequence).toBe(4)
    expect(journal.appendIf('job_unknown', 0, 'job.cancelled', { by: 'bob' })?.sequence).toBe(5)
    expect(journal.events()).toHaveLength(5)
  })
})

describe('the hash chain', () => {
  const changes: readonly [string, string, number][] = [
    ['a changed payload', `UPDATE events SET data = '{"by":"eve"}' WHERE sequence = 2`, 2],
    ['a changed time', `UPDATE events SET at = at + 1 WHERE sequence = 3`, 3],
    ['an event given to another job', `UPDATE events SET job = 'job_x' WHERE sequence = 3`, 3],
    ['a removed event', `DELETE FROM events WHERE sequence = 2`, 2],
    ['a cut-off end', `DELETE FROM events WHERE sequence = 4`, 4],
    ['a changed job', `UPDATE jobs SET spec = replace(spec, 'Make', 'Fake')`, 1],
    ['an added event', `INSERT INTO events SELECT 5, at, job, type, data, hash FROM events WHERE sequence = 4`, 5],
  ]

  test.each(changes)('detects %s', (_, attack, broken) => {
    const { journal, file } = temporaryJournal()
    const job = jobSpec()
    journal.submit([job])
    journal.append(job.id, 'job.cancel-requested', { by: 'ann' })
    journal.append(job.id, 'job.cancelled', { by: 'ann' })
    journal.append(null, 'queue.paused', { by: 'ann' })
    expect(journal.verify()).toBeUndefined()
    const raw = new DatabaseSync(file)
    raw.exec('DROP TRIGGER events_never_change; DROP TRIGGER events_never_go; DROP TRIGGER jobs_never_change')
    raw.exec(attack)
    raw.close()
    expect(journal.verify()).toBe(broken)
  })

  test('is not needed against mistakes: SQLite itself refuses to change events and jobs', () => {
    const { journal, file } = temporaryJournal()
    journal.submit([jobSpec()])
    const raw = new DatabaseSync(file)
    for (const statement of ['UPDATE events SET at = 1', 'DELETE FROM events', `UPDATE jobs SET spec = '{}'`, 'DELETE FROM jobs']) {
      expect(() => raw.exec(statement)).toThrow(/append-only|never/)
    }
    raw.close()
  })
})

describe('orchestrators, receipts and locks', () => {
  test('an orchestrator is known until it leaves', () => {
    let now = 1_000
    const file = join(temporaryDirectory(), 'journal.db')
    using journal = openJournal({ file, isAlive: alive, now: () => now })
    const id = journal.register(someone)
    now = 2_000
    journal.heartbeat(id)
    expect(journal.orchestrators()).toEqual([{ id, ...someone, heartbeatAt: 2_000 }])
    journal.unregister(id)
    expect(journal.orchestrators()).toEqual([])
  })

  test('receipts stay until they are settled, and their ids are never used again', () => {
    const { journal } = temporaryJournal()
    const owner = { orchestrator: 'orc_1', job: 'job_1' }
    const receipt = { plugin: 'x', data: { path: '/y' } }
    const first = journal.record(owner, receipt)
    expect(journal.receipts()).toEqual([{ id: first, ...owner, receipt }])
    journal.settle(first)
    journal.settle(first)
    expect(journal.receipts()).toEqual([])
    expect(journal.record(owner, receipt)).toBeGreaterThan(first)
  })

  test('a lock excludes others while its process lives, and no longer', () => {
    const dead = new Set<number>()
    const { journal } = temporaryJournal((record) => !dead.has(record.pid))
    const one = journal.register({ pid: 1, startTime: '1' })
    const two = journal.register({ pid: 2, startTime: '2' })
    const held = journal.lock('merge', one)
    expect(held).toBeDefined()
    expect(journal.lock('merge', two)).toBeUndefined()
    expect(journal.lock('merge', one)).toBeUndefined()
    expect(journal.lock('other', two)).toBeDefined()
    held?.[Symbol.dispose]()
    expect(journal.lock('merge', two)).toBeDefined()
    dead.add(2)
    const taken = journal.lock('merge', one)
    expect(taken).toBeDefined()
    expect(journal.lock('merge', two)).toBeUndefined()
    taken?.[Symbol.dispose]()
  })

  test('a release that comes late does not open the lock of the next holder', () => {
    const dead = new Set<number>()
    const { journal } = temporaryJournal((record) => !dead.has(record.pid))
    const one = journal.register({ pid: 1, startTime: '1' })
    const two = journal.register({ pid: 2, startTime: '2' })
    const late = journal.lock('merge', one)
    dead.add(1)
    expect(journal.lock('merge', two)).toBeDefined()
    late?.[Symbol.dispose]()
    expect(journal.lock('merge', journal.register({ pid: 3, startTime: '3' }))).toBeUndefined()
  })
})

describe('opening', () => {
  test('makes a private directory and file, whatever the umask is', () => {
    const { file } = temporaryJournal()
    const modes = [dirname(file), file, `${file}-wal`, `${file}-shm`].map((path) => statSync(path).mode & 0o777)
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o600])
  })

  test('takes back rights that others got on the file', () => {
    const { file } = temporaryJournal()
    chmodSync(file, 0o666)
    using _ = openJournal({ file, isAlive: alive })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('refuses a file of a newer Bulkhead', () => {
    const { journal, file } = temporaryJournal()
    journal[Symbol.dispose]()
    const raw = new DatabaseSync(file)
    raw.exec('PRAGMA user_version = 9999')
    raw.close()
    expect(codeOf(() => openJournal({ file, isAlive: alive }))).toBe('journal_newer')
  })

  test('refuses what is not a database, or not ours, and leaves it as it is', () => {
    const directory = temporaryDirectory()
    const text = join(directory, 'text.db')
    writeFileSync(text, 'no database'.repeat(500))
    expect(codeOf(() => openJournal({ file: text, isAlive: alive }))).toBe('journal_corrupt')
    expect(readFileSync(text, 'utf8')).toBe('no database'.repeat(500))
    const foreign = join(directory, 'foreign.db')
    const raw = new DatabaseSync(foreign)
    raw.exec('CREATE TABLE theirs (x)')
    raw.close()
    expect(codeOf(() => openJournal({ file: foreign, isAlive: alive }))).toBe('journal_corrupt')
  })

  test('says so when a page is damaged', () => {
    const { journal, file } = temporaryJournal()
    for (let index = 0; index < 50; index++) journal.append(null, 'queue.paused', { by: 'x'.repeat(500) })
    journal[Symbol.dispose]()
    const raw = new DatabaseSync(file)
    raw.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    raw.close()
    const bytes = readFileSync(file)
    bytes.fill(0xa5, 4096)
    writeFileSync(file, bytes)
    expect(
      codeOf(() => {
        using damaged = openJournal({ file, isAlive: alive })
        damaged.events()
      }),
    ).toBe('journal_corrupt')
  })

  test('follows no link and says when the place cannot be used', () => {
    const directory = temporaryDirectory()
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'link.db'))
    expect(codeOf(() => openJournal({ file: join(directory, 'link.db'), isAlive: alive }))).toBe('journal_failed')
    mkdirSync(join(directory, 'directory.db'))
    expect(codeOf(() => openJournal({ file: join(directory, 'directory.db'), isAlive: alive }))).toBe('journal_failed')
  })
})

test('1,000 jobs of ten events each are listed quickly', () => {
  const { journal } = temporaryJournal()
  const jobs = Array.from({ length: 1_000 }, () => jobSpec())
  journal.submit(jobs)
  for (const job of jobs) {
    for (let index = 0; index < 9; index++) journal.append(job.id, 'job.changed', { files: index, insertions: index, deletions: 0 })
  }
  const tries = [1, 2, 3].map(() => {
    const begin = performance.now()
    expect(journal.jobs().length + journal.events().length).toBe(11_000)
    return performance.now() - begin
  })
  // Measured 30 to 40 ms; the bound leaves room for a busy machine.
  expect(Math.min(...tries)).toBeLessThan(150)
})
