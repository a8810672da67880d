import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openDatabase } from '../../../core/journal/database.ts'
import { openJournal } from '../../../core/journal/index.ts'
import { hostHas } from '../../support/host.ts'
import { jobSpec } from '../../support/job-spec.ts'
import { isProcessAlive, ownIdentity } from '../../support/process-identity.ts'
import { temporaryDirectory, temporaryJournal } from '../../support/temporary-journal.ts'

const support = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'support')

async function claimer(file: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(support, 'journal-claimer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

test('four processes claim from one journal, one is killed, and no claim is lost or doubled', async () => {
  const { journal, file } = temporaryJournal()
  const jobs = Array.from({ length: 300 }, () => jobSpec())
  journal.submit(jobs)
  const [victim, ...others] = await Promise.all([claimer(file), claimer(file), claimer(file), claimer(file)])
  // In the middle of its work, at whatever instruction that is.
  while (journal.events({ after: jobs.length }).length < 40) await new Promise((resolve) => setTimeout(resolve, 1))
  victim?.kill('SIGKILL')
  await Promise.all(others.map((child) => once(child, 'exit')))
  const claims = journal.events().filter((event) => event.type === 'job.claimed')
  expect(claims).toHaveLength(jobs.length)
  expect(new Set(claims.map((event) => event.job))).toEqual(new Set(jobs.map((job) => job.id)))
  expect(new Set(claims.map((event) => event.data.orchestrator)).size).toBeGreaterThan(1)
  expect(journal.verify()).toBeUndefined()
  // A receipt precedes each claim: none is missing, whoever made it.
  expect(new Set(journal.receipts().map((receipt) => receipt.job)).size).toBe(jobs.length)
  // The lock of the dead process, if it died holding it, is free.
  expect(journal.lock('claim', journal.register(ownIdentity()))).toBeDefined()
})

test('ten processes open a journal that does not exist yet', async () => {
  const file = join(temporaryDirectory(), 'journal.db')
  const children = Array.from({ length: 10 }, () =>
    spawn(process.execPath, ['--import', 'tsx', join(support, 'journal-claimer.ts'), file], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown))
  expect(codes).toEqual(Array(10).fill(0))
  using journal = openJournal({ file, isAlive: isProcessAlive })
  expect(journal.orchestrators()).toHaveLength(10)
})

test('a journal that another process keeps locked is journal_busy, in one line', () => {
  const { file } = temporaryJournal()
  using journal = openJournal({ file, isAlive: isProcessAlive, busyTimeoutMs: 100 })
  using other = openDatabase(file, 100)
  other.transaction(() => {
    expect(() => journal.append(null, 'queue.paused', { by: 'ann' })).toThrow('The journal stayed locked by another process.')
    expect(journal.events()).toEqual([])
  })
  journal.append(null, 'queue.paused', { by: 'ann' })
  expect(journal.events()).toHaveLength(1)
})

/** In a user and mount namespace of its own, for a tiny filesystem. */
const inNamespace = ['unshare', '--map-root-user', '--mount'] as const

test.runIf(hostHas('user-namespace'))('a full disk is host_no_space, and what was written before is whole', () => {
  const directory = temporaryDirectory()
  // The writer fills the disk; a second run after room was made (a bigger disk) must find every event it was told is stored.
  const script = `mount -t tmpfs -o size=700k none "$1" && cd "${dirname(dirname(support))}" &&
    "$2" --import tsx "$3" "$1/journal.db" && mount -o remount,size=20m "$1" && echo && "$2" --import tsx "$4" "$1/journal.db"`
  const checker = join(support, 'journal-checker.ts')
  const [program, ...rest] = [
    ...inNamespace,
    'sh',
    '-c',
    script,
    'sh',
    directory,
    process.execPath,
    join(support, 'journal-writer.ts'),
    checker,
  ]
  const run = spawnSync(program, rest, { encoding: 'utf8' })
  const [first, second] = run.stdout.split('\n').map((line) => JSON.parse(line) as { code: string; written: number })
  expect({ stderr: run.stderr, code: first?.code }).toEqual({ stderr: '', code: 'host_no_space' })
  expect(first?.written).toBeGreaterThan(10)
  expect(second).toEqual({ code: 'whole', written: first?.written })
})
