/** One journal, several processes: SQLite's locks and shared memory, and who is alive. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import koffi from 'koffi'
import { openJournal } from '../../../../core/journal/index.ts'
import { isAlive, processIdentity } from '../../../../native/index.ts'
import { jobSpec } from '../../../support/job-spec.ts'

const kernel32 = koffi.load('kernel32.dll')
const openProcess = kernel32.func('intptr_t OpenProcess(uint32_t access, bool inherit, uint32_t pid)')
const closeHandle = kernel32.func('bool CloseHandle(intptr_t handle)')
const SYNCHRONIZE = 0x100000

const program = fileURLToPath(new URL('../../support/workers/claimer.js', import.meta.url))

function claimer(file: string) {
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(([code]) => code as unknown)
  return { ended, ready: once(child.stdout, 'data'), kill: () => child.kill('SIGKILL') }
}

test('three processes claim from one journal, one is killed, and no claim is lost or doubled', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'journal-')), 'journal.db')
  using journal = openJournal({ file, isAlive })
  const jobs = Array.from({ length: 120 }, () => jobSpec())
  journal.submit(jobs)
  const children = [claimer(file), claimer(file), claimer(file)]
  await Promise.all(children.map(({ ready }) => ready))
  const [victim, ...others] = children
  // In the middle of its work, at whatever instruction that is.
  while (journal.events({ after: jobs.length }).length < 30) await new Promise((resolve) => setTimeout(resolve, 1))
  victim?.kill()
  assert.deepEqual(await Promise.all(others.map(({ ended }) => ended)), [0, 0])
  const claims = journal.events().filter(({ type }) => type === 'job.claimed')
  assert.equal(claims.length, jobs.length)
  assert.deepEqual(new Set(claims.map(({ job }) => job)), new Set(jobs.map(({ id }) => id)))
  assert.equal(journal.verify(), undefined)
  // The lock of the dead process, if it died holding it, is free.
  assert.ok(journal.lock('claim', journal.register(processIdentity(process.pid))))
})

test('six processes open a journal that does not exist yet', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'journal-')), 'state', 'journal.db')
  const children = Array.from({ length: 6 }, () => claimer(file))
  assert.deepEqual(await Promise.all(children.map(({ ended }) => ended)), Array(6).fill(0))
  using journal = openJournal({ file, isAlive })
  assert.equal(journal.orchestrators().length, 6)
  assert.ok(journal.orchestrators().every((one) => !isAlive(one)))
})

test('a process is known by its start time as well, and is gone when it has ended although somebody has a handle to it', async () => {
  const self = processIdentity(process.pid)
  assert.match(self.startTime, /^\d+$/)
  assert.ok(isAlive(self))
  assert.ok(!isAlive({ ...self, startTime: String(BigInt(self.startTime) - 1n) }))
  assert.ok(!isAlive({ pid: 0x7fff_fffc, startTime: self.startTime }))
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] })
  const other = processIdentity(child.pid ?? 0)
  assert.ok(isAlive(other))
  // Node closes its own handle when it hears of the end.
  const handle = openProcess(SYNCHRONIZE, false, child.pid) as number
  const ended = once(child, 'exit')
  child.stdin.end()
  await ended
  assert.ok(!isAlive(other))
  closeHandle(handle)
})
