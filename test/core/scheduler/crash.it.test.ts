import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { EventType } from '../../../core/contracts/index.ts'
import { openJournal } from '../../../core/journal/index.ts'
import { deriveJobs } from '../../../core/scheduler/index.ts'
import { naiveGit, testRepository, type TestRepository } from '../../support/git-repository.ts'
import { hostHas, packageRoot } from '../../support/host.ts'
import { isProcessAlive } from '../../support/process-identity.ts'
import { shellJob } from '../../support/real-stage.ts'

/** Agents leave a process behind that has this in its arguments; all of them must go with the orchestrator. */
const marker = `31${process.pid}.5`

/** After which event the orchestrator is killed, and how many milliseconds later: from the first claim to the last landing. */
const kills: readonly (readonly [EventType, number])[] = [
  ['job.claimed', 0],
  ['job.started', 60],
  ['job.finished', 0],
  ['merge.candidate', 10],
  ['merge.gate', 1],
  ['merge.landed', 5],
]

function orphans(): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'latin1').split('\0').includes(marker)
    } catch {
      return false
    }
  })
}

function orchestrate(repository: TestRepository): { readonly kill: () => void; readonly ended: Promise<unknown[]> } {
  const script = join(packageRoot, 'test', 'support', 'orchestrator.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, repository.root], {
    cwd: packageRoot,
    env: { ...process.env, ...repository.environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return { kill: () => child.kill('SIGKILL'), ended: once(child, 'exit') }
}

test.runIf(hostHas('user-namespace'))(
  'killed again and again at any moment: no orphan, no lost job, everything lands exactly once',
  { timeout: 120_000 },
  async () => {
    const repository = testRepository()
    onTestFinished(() => repository[Symbol.dispose]())
    const { repository: facts } = await repository.open()
    using journal = openJournal({ file: join(facts.state, 'journal.db'), isAlive: isProcessAlive })
    const gates = [{ name: 'there', command: ['test', '-e', 'README.md'], limits: { timeMs: 20_000 } }]
    const jobs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      shellJob(name, repository.base, `setsid sleep ${marker} & echo ${name} > ${name}.txt && sleep 0.2`, { gates }),
    )
    journal.submit(jobs)
    let sawAgents = false
    for (const [type, moreMs] of kills) {
      const before = journal.events().at(-1)?.sequence ?? 0
      const { kill, ended } = orchestrate(repository)
      const over = ended.then(() => true)
      while (!journal.events({ after: before }).some((event) => event.type === type)) {
        if (await Promise.race([over, delay(1, false)])) throw new Error(`it ended before ${type}`)
      }
      await delay(moreMs)
      sawAgents ||= orphans().length > 0
      kill()
      await ended
      // The supervisors notice within moments.
      for (let waited = 0; orphans().length > 0 && waited < 5_000; waited += 20) await delay(20)
      expect(orphans()).toEqual([])
    }
    // The kills did meet agents at work, not only the gaps between them.
    expect(sawAgents).toBe(true)
    expect((await orchestrate(repository).ended)[0]).toBe(0)

    expect(deriveJobs(journal).map(({ spec, status }) => [spec.name, status])).toEqual(jobs.map(({ name }) => [name, 'merged']))
    const trailers = naiveGit(repository.root, ['log', '--format=%(trailers:key=Bulkhead-Job,valueonly,separator=%x20)', 'main'])
    const landed = trailers.split('\n').filter((line) => line !== '')
    expect(landed).toHaveLength(jobs.length)
    expect(new Set(landed)).toEqual(new Set(jobs.map(({ id }) => id)))
    for (const { name } of jobs) expect(naiveGit(repository.root, ['show', `main:${name}.txt`])).toBe(`${name}\n`)
    expect(journal.verify()).toBeUndefined()
    expect(journal.receipts()).toEqual([])
    expect(journal.orchestrators()).toEqual([])
    const workspaces = readdirSync(join(facts.state, 'workspaces')).filter((name) => name.startsWith('gate-'))
    expect([...workspaces, ...readdirSync(join(facts.state, 'making'))]).toEqual([])
    expect(existsSync(join(facts.gitDirectory, 'index.lock'))).toBe(false)
  },
)
