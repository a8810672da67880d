import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { deriveJob, deriveJobs, removeJob } from '../../../core/scheduler/index.ts'
import { naiveGit, testRepository } from '../../support/git-repository.ts'
import { hostHas } from '../../support/host.ts'
import { realStage, shellJob } from '../../support/real-stage.ts'

const never = new AbortController().signal

test.runIf(hostHas('user-namespace'))('real agents, real walls, real git: run, refuse, retry, gate, land, remove', async () => {
  const repository = testRepository({ 'README.md': 'one\n', 'src/a.txt': 'a\n' })
  onTestFinished(() => repository[Symbol.dispose]())
  const workspaces = await repository.open()
  await using stage = realStage(workspaces)
  const { journal, scheduler, landing, presence } = stage
  const sees = `printf '%s ' "$BULKHEAD_JOB" "$BULKHEAD_WORKSPACE_NAME" "$BULKHEAD_PORT" > seen.txt && test "$PWD" = "$BULKHEAD_WORKSPACE_PATH"`
  const gates = [{ name: 'has-a', command: ['grep', '-q', 'better', 'src/a.txt'], limits: { timeMs: 20_000 } }]
  const jobs = [
    shellJob('better', repository.base, `echo better >> src/a.txt && git add -A && git commit -qm mine && ${sees}`, {
      gates,
      setup: ['touch', 'set-up'],
    }),
    shellJob('nosy', repository.base, `echo new > new.txt; cat ${repository.root}/README.md`),
    shellJob('shy', repository.base, 'true'),
    shellJob('second-try', repository.base, 'test -e tried || { touch tried; exit 7; }', {
      retry: { attempts: 2, delayMs: 1, maximumMs: 1 },
    }),
    shellJob('worse', repository.base, 'echo worse > src/b.txt', { gates }),
  ]
  journal.submit(jobs)
  const outcome = await scheduler.run({ jobs: 'all', concurrency: 3 })
  expect(outcome.jobs.map(({ spec, status, reason, attempt, counts }) => [spec.name, status, reason, attempt, counts.files])).toEqual([
    ['better', 'finished', null, 1, 3],
    ['nosy', 'failed', 'the agent exited with code 1; what it changed is kept', 1, 1],
    ['shy', 'finished', 'nothing was changed', 1, 0],
    ['second-try', 'finished', null, 2, 1],
    ['worse', 'finished', null, 1, 1],
  ])
  const [better] = jobs
  const events = journal.events({ job: better?.id ?? '' })
  const evidence = events.flatMap((event) => (event.type === 'job.verified' ? event.data.evidence : []))
  expect(evidence.length).toBeGreaterThan(10)
  expect(evidence.filter(({ held }) => !held)).toEqual([])
  expect(deriveJob(journal, 'better').enforcement.map(({ layer, degraded }) => [layer, degraded])).toEqual([
    ['filesystem', false],
    ['token', false],
    ['network', false],
    ['interception', false],
  ])
  expect(naiveGit(repository.root, ['show', `${deriveJob(journal, 'better').commit}:seen.txt`])).toBe(
    `${better?.id} better ${better?.port} `,
  )
  expect(readFileSync(join(workspaces.repository.state, 'logs', `${jobs[1]?.id}.log`), 'utf8')).toContain('No such file or directory')

  for (const name of ['better', 'worse', 'second-try']) landing.approve(name, 'ann')
  const results = await landing.merge({ jobs: 'approved', by: 'ann', signal: never })
  // The candidate of `worse` holds what `better` landed before, so its gate passes too: what is checked is what lands.
  expect(results.map(({ job, error }) => [job.name, error?.message])).toEqual([
    ['better', undefined],
    ['worse', undefined],
    ['second-try', undefined],
  ])
  expect(readFileSync(join(repository.root, 'src/a.txt'), 'utf8')).toBe('a\nbetter\n')
  expect(readFileSync(join(repository.root, 'src/b.txt'), 'utf8')).toBe('worse\n')
  expect(
    naiveGit(repository.root, ['log', '--format=%(trailers:key=Bulkhead-Job,valueonly,separator=%x20)', 'main']).trim().split('\n'),
  ).toEqual([jobs[3]?.id, jobs[4]?.id, better?.id])
  expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')

  const backup = await removeJob({ journal, workspaces, presence }, 'nosy', 'ann')
  expect(naiveGit(repository.root, ['show', `${backup}:new.txt`])).toBe('new\n')
  for (const name of ['better', 'shy', 'second-try', 'worse']) await removeJob({ journal, workspaces, presence }, name, 'ann')
  expect(await workspaces.list()).toEqual([])
  expect(deriveJobs(journal).every((view) => view.removed)).toBe(true)
  expect(journal.receipts()).toEqual([])
  expect(journal.verify()).toBeUndefined()
})
