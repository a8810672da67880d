import { describe, expect, test } from 'vitest'
import { BulkheadError, type GateSpec, type JobSpec } from '../../../core/contracts/index.ts'
import { deriveJob, Landing, Presence, removeJob } from '../../../core/scheduler/index.ts'
import { exited, untilAborted, writeLog } from '../../support/fake-agent-runs.ts'
import { FakeMergeQueue } from '../../support/fake-merge-queue.ts'
import { quiet } from '../../support/quiet.ts'
import { stage, until, type Stage } from '../../support/scheduling.ts'

const never = new AbortController().signal
const gate = (name: string, timeMs: number | null = null): GateSpec => ({ name, command: [name], limits: { timeMs } })

interface Dock extends Stage {
  readonly mergeQueue: FakeMergeQueue
  readonly landing: Landing
  /** Jobs that have finished with a change each. */
  readonly finished: (...changes: Partial<JobSpec>[]) => Promise<JobSpec[]>
}

function dock(): Dock {
  const base = stage()
  const mergeQueue = new FakeMergeQueue()
  const landing = new Landing({ ...base, mergeQueue, logger: quiet })
  return {
    ...base,
    mergeQueue,
    landing,
    finished: async (...changes) => {
      const jobs = base.submit(...changes)
      base.agentRuns.behaviour = ({ workspace }) => {
        base.workspaces.content.set(workspace.path.split('/')[2] ?? '', `work of ${workspace.path}`)
        return exited(0)
      }
      await base.scheduler.run({ jobs: 'all', concurrency: 2 })
      base.agentRuns.requests.length = 0
      base.agentRuns.behaviour = () => exited(0)
      return jobs
    },
  }
}

describe('review', () => {
  test('approval is of the tree that was looked at, and of no other', async () => {
    const { finished, landing, journal } = dock()
    await finished({ name: 'fix' })
    const { tree } = deriveJob(journal, 'fix')
    expect(() => landing.approve('fix', 'ann', 'f'.repeat(40))).toThrow('fix changed after it was looked at.')
    expect(landing.approve('fix', 'ann', tree ?? '')).toBe(tree)
    expect(landing.approve('fix', 'ann')).toBe(tree)
    expect(deriveJob(journal, 'fix')).toMatchObject({ status: 'approved', approvedTree: tree })
    expect(journal.events().filter((event) => event.type === 'review.approved')).toHaveLength(1)
  })

  test('rejected work is kept, and can be approved after all', async () => {
    const { finished, landing, journal, workspaces } = dock()
    await finished({ name: 'fix' })
    landing.reject('fix', 'ann', 'not like this')
    expect(deriveJob(journal, 'fix')).toMatchObject({ status: 'rejected', reason: 'not like this', approvedTree: null })
    expect(workspaces.content.has('fix')).toBe(true)
    landing.approve('fix', 'bob')
    expect(deriveJob(journal, 'fix').status).toBe('approved')
  })

  test('what is not finished or changed nothing cannot be approved or merged', async () => {
    const { submit, scheduler, landing } = dock()
    submit({ name: 'idle' })
    expect(() => landing.approve('idle', 'ann')).toThrow('Cannot approve idle: it is queued.')
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(() => landing.approve('idle', 'ann')).toThrow('Cannot approve idle: it changed nothing.')
    await expect(landing.merge({ jobs: ['idle'], by: 'ann', signal: never })).rejects.toThrow('Cannot merge idle: it is finished.')
    expect(() => landing.reject('nothing', 'ann', '')).toThrow('There is no job "nothing".')
  })
})

describe('merge', () => {
  test('approved work lands in order: needs, priority, approval', async () => {
    const { finished, landing, mergeQueue, journal } = dock()
    const [a] = await finished({ name: 'a' })
    await finished({ name: 'b' }, { name: 'c', priority: 2, needs: [a?.id ?? ''] }, { name: 'd', priority: 1 }, { name: 'left' })
    for (const name of ['b', 'c', 'd', 'a']) landing.approve(name, 'ann')
    const results = await landing.merge({ jobs: 'approved', by: 'ann', signal: never })
    expect(results.map(({ job, error }) => [job.name, error])).toEqual([
      ['a', null],
      ['c', null],
      ['d', null],
      ['b', null],
    ])
    expect(mergeQueue.requests[0]).toMatchObject({
      job: a?.id,
      name: 'a',
      target: 'refs/heads/main',
      commit: deriveJob(journal, 'a').commit,
      tree: deriveJob(journal, 'a').approvedTree,
      message: { trailers: { 'Bulkhead-Job': a?.id, 'Bulkhead-Agent': 'fake', 'Bulkhead-Approved-By': 'ann' } },
    })
    expect(['a', 'b', 'c', 'd', 'left'].map((name) => deriveJob(journal, name).status)).toEqual([
      'merged',
      'merged',
      'merged',
      'merged',
      'finished',
    ])
  })

  test('gates run on the candidate, behind the job’s walls, in a workspace of their own that goes again', async () => {
    const { finished, landing, agentRuns, workspaces, journal, mergeQueue } = dock()
    const [job] = await finished({ name: 'fix', setup: ['npm', 'ci'], gates: [gate('test', 5_000), gate('lint')] })
    landing.approve('fix', 'ann')
    agentRuns.behaviour = (request) => {
      writeLog(request, `${'noise '.repeat(2_000)}end of ${request.command.argv[0]}`)
      return exited(0)
    }
    await landing.merge({ jobs: ['fix'], by: 'ann', signal: never })
    const made = workspaces.made.at(-1)
    expect(made).toEqual({
      name: expect.stringMatching(/^gate-[0-9a-f]{16}-[a-z0-9]{12}$/) as string,
      base: mergeQueue.target[0],
      include: true,
      prepare: expect.any(Function) as unknown,
    })
    expect(agentRuns.preparations.at(-1)).toEqual([job?.environment, expect.objectContaining({ path: `/workspaces/${made?.name}/tree` })])
    expect(agentRuns.requests.map(({ command, policy, workspace }) => [command.argv[0], policy.limits.timeMs, workspace.path])).toEqual([
      ['npm', null, `/workspaces/${made?.name}/tree`],
      ['test', 5_000, `/workspaces/${made?.name}/tree`],
      ['lint', null, `/workspaces/${made?.name}/tree`],
    ])
    expect(agentRuns.requests[1]).toMatchObject({ job: job?.id, environment: job?.environment })
    expect(workspaces.content.has(made?.name ?? '')).toBe(false)
    const gates = journal.events({ job: job?.id ?? '' }).flatMap((event) => (event.type === 'merge.gate' ? [event.data] : []))
    expect(gates.map(({ name, passed }) => [name, passed])).toEqual([
      ['setup', true],
      ['test', true],
      ['lint', true],
    ])
    expect(gates.map(({ output }) => [output.length, output.endsWith('end of test'), output.includes('npm')])).toEqual([
      [4_096, false, true],
      [4_096, true, false],
      [4_096, false, false],
    ])
  })

  test('a gate that changed the files is followed by a fresh workspace, and a setup that did so fails', async () => {
    const { finished, landing, agentRuns, workspaces, journal } = dock()
    await finished(
      { name: 'sly', setup: ['npm', 'ci'], gates: [gate('test'), gate('scan')] },
      { name: 'worse', setup: ['evil'], gates: [gate('scan')] },
    )
    landing.approve('sly', 'ann')
    landing.approve('worse', 'ann')
    agentRuns.behaviour = (request) => {
      const name = request.workspace.path.split('/').at(-2) ?? ''
      if (['test', 'evil'].includes(request.command.argv[0] ?? '')) workspaces.changed.add(name)
      else workspaces.changed.delete(name)
      return exited(0)
    }
    const results = await landing.merge({ jobs: 'approved', by: 'ann', signal: never })
    expect(results.map(({ job, error }) => [job.name, error?.code])).toEqual([
      ['sly', undefined],
      ['worse', 'merge_gate_failed'],
    ])
    expect(agentRuns.requests.map(({ command }) => command.argv[0])).toEqual(['npm', 'test', 'npm', 'scan', 'evil'])
    expect(workspaces.made.filter(({ name }) => name.startsWith('gate-'))).toHaveLength(3)
    expect(deriveJob(journal, 'worse').reason).toContain('gates would not judge what lands')
  })

  test('a gate that fails keeps the work out and sends it back to be looked at; the next job lands all the same', async () => {
    const { finished, landing, agentRuns, journal, mergeQueue, workspaces } = dock()
    await finished({ name: 'bad', gates: [gate('test'), gate('never-reached')] }, { name: 'good' })
    landing.approve('bad', 'ann')
    landing.approve('good', 'ann')
    agentRuns.behaviour = () => exited(1)
    const results = await landing.merge({ jobs: 'approved', by: 'ann', signal: never })
    expect(results.map(({ job, error }) => [job.name, error?.code])).toEqual([
      ['bad', 'merge_gate_failed'],
      ['good', undefined],
    ])
    expect(deriveJob(journal, 'bad')).toMatchObject({
      status: 'finished',
      approvedTree: null,
      landed: null,
      reason: 'did not land: gate test: it exited with code 1',
    })
    expect(agentRuns.requests).toHaveLength(1)
    expect(mergeQueue.target).toHaveLength(1)
    expect([...workspaces.content.keys()]).toEqual(['bad', 'good'])
  })

  test('a gate whose command does not exist has failed; one that cannot be confined has not been tried', async () => {
    const { finished, landing, agentRuns, journal } = dock()
    await finished({ name: 'one', gates: [gate('test')] })
    landing.approve('one', 'ann')
    for (const [code, status] of [
      ['layer_unusable', 'approved'],
      ['launch_not_found', 'finished'],
    ] as const) {
      agentRuns.behaviour = () => {
        throw new BulkheadError(code, 'cannot')
      }
      await landing.merge({ jobs: ['one'], by: 'ann', signal: never })
      expect(deriveJob(journal, 'one').status).toBe(status)
    }
  })

  test('a conflict names its paths; what is wrong with the checkout leaves the approval', async () => {
    const { finished, landing, journal, mergeQueue } = dock()
    const [job] = await finished({ name: 'fix' })
    landing.approve('fix', 'ann')
    mergeQueue.before = () => {
      throw new BulkheadError('merge_checkout_dirty', 'the checkout has changes')
    }
    const [dirty] = await landing.merge({ jobs: ['fix'], by: 'ann', signal: never })
    expect([dirty?.error?.code, deriveJob(journal, 'fix').status]).toEqual(['merge_checkout_dirty', 'approved'])
    mergeQueue.before = () => {
      throw new BulkheadError('merge_conflict', 'same lines', { where: 'a.ts\nb.ts' })
    }
    await landing.merge({ jobs: ['fix'], by: 'ann', signal: never })
    expect(deriveJob(journal, 'fix').status).toBe('finished')
    expect(journal.events({ job: job?.id ?? '' }).at(-1)?.data).toEqual({
      code: 'merge_conflict',
      message: 'same lines',
      paths: ['a.ts', 'b.ts'],
    })
  })

  test('killed between landing and telling so, it lands exactly once', async () => {
    const { finished, landing, journal, mergeQueue, workspaces, agentRuns, isAlive } = dock()
    await finished({ name: 'fix' })
    landing.approve('fix', 'ann')
    // The process that dies: nothing it would write after the target moved is written.
    using dying = new Presence({ journal, self: { pid: 10_000_000, startTime: '1' } })
    const stop = new Error('killed')
    mergeQueue.after = () => {
      throw stop
    }
    const deaf = new Proxy(journal, {
      get: (target, property) =>
        property === 'appendIf' && mergeQueue.target.length > 0
          ? () => {
              throw stop
            }
          : (Reflect.get(target, property) as () => unknown).bind(target),
    })
    const killed = new Landing({ journal: deaf, presence: dying, workspaces, mergeQueue, agentRuns, isAlive, logger: quiet })
    await killed.merge({ jobs: ['fix'], by: 'ann', signal: never })
    expect([deriveJob(journal, 'fix').status, mergeQueue.target.length]).toEqual(['merging', 1])

    mergeQueue.after = () => {}
    const [again] = await landing.merge({ jobs: 'approved', by: 'bob', signal: never })
    expect(again?.landed?.already).toBe(true)
    expect(mergeQueue.target).toHaveLength(1)
    expect(deriveJob(journal, 'fix')).toMatchObject({ status: 'merged', landed: mergeQueue.target[0] })
  })

  test('two processes merge at once: each job lands once, one after the other', async () => {
    const { finished, landing, journal, mergeQueue, workspaces, agentRuns, isAlive, presence } = dock()
    await finished(...Array.from({ length: 6 }, () => ({ gates: [gate('test')] })))
    for (const job of journal.jobs()) landing.approve(job.id, 'ann')
    agentRuns.most = 0
    agentRuns.behaviour = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3))
      return exited(0)
    }
    using other = new Presence({ journal, self: { pid: process.pid, startTime: '' } })
    expect(other.id).not.toBe(presence.id)
    const second = new Landing({ journal, presence: other, workspaces, mergeQueue, agentRuns, isAlive: () => true, logger: quiet })
    const first = new Landing({ journal, presence, workspaces, mergeQueue, agentRuns, isAlive, logger: quiet })
    await Promise.all([first, second].map((each) => each.merge({ jobs: 'approved', by: 'ann', signal: never })))
    expect(new Set(mergeQueue.target).size).toBe(6)
    expect(mergeQueue.target).toHaveLength(6)
    expect(agentRuns.most).toBe(1)
    expect(journal.jobs().map((job) => deriveJob(journal, job.id).status)).toEqual(Array(6).fill('merged'))
  })

  test('stopped while a gate runs, nothing lands and the approval stays', async () => {
    const { finished, landing, journal, mergeQueue, workspaces, agentRuns } = dock()
    await finished({ name: 'fix', gates: [gate('slow')] })
    landing.approve('fix', 'ann')
    agentRuns.behaviour = untilAborted
    const stop = new AbortController()
    const merge = landing.merge({ jobs: ['fix'], by: 'ann', signal: stop.signal })
    await until(() => agentRuns.requests.length === 1)
    stop.abort()
    expect((await merge)[0]?.error?.code).toBe('interrupted')
    expect(deriveJob(journal, 'fix').status).toBe('approved')
    expect(mergeQueue.target).toEqual([])
    expect([...workspaces.content.keys()]).toEqual(['fix'])
  })

  test('candidates’ workspaces of dead processes are swept, others are not', async () => {
    const { landing, workspaces, presence } = dock()
    const [dead, alive] = [`gate-${'0'.repeat(16)}-aaaaaaaaaaaa`, `gate-${presence.id.slice(4)}-aaaaaaaaaaaa`]
    for (const name of [dead, alive, 'gate-keeper']) await workspaces.create({ name, base: 'a', include: false })
    await landing.merge({ jobs: 'approved', by: 'ann', signal: never })
    expect([...workspaces.content.keys()]).toEqual([alive, 'gate-keeper'])
  })
})

describe('remove', () => {
  test('keeps unmerged work, and only that', async () => {
    const { finished, landing, journal, workspaces, presence } = dock()
    const [job] = await finished({ name: 'fix' }, { name: 'done' })
    landing.approve('done', 'ann')
    await landing.merge({ jobs: ['done'], by: 'ann', signal: never })
    const commits = ['fix', 'done'].map((name) => deriveJob(journal, name).commit)
    expect(await removeJob({ journal, workspaces, presence }, 'fix', 'ann')).toBe('refs/bulkhead/backup/fix')
    expect(await removeJob({ journal, workspaces, presence }, 'done', 'ann')).toBeNull()
    expect(workspaces.removed).toEqual([
      { name: 'fix', commit: commits[0], merged: false },
      { name: 'done', commit: commits[1], merged: true },
    ])
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({
      removed: true,
      reason: 'removed; its work is kept as refs/bulkhead/backup/fix',
    })
    await expect(removeJob({ journal, workspaces, presence }, job?.id ?? '', 'ann')).rejects.toThrow('Cannot remove fix: it was removed.')
  })

  test('takes a queued job out of the queue first', async () => {
    const { submit, journal, workspaces, presence, agentRuns, scheduler } = dock()
    const [job] = submit({ name: 'idle' })
    expect(await removeJob({ journal, workspaces, presence }, 'idle', 'ann')).toBeNull()
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'cancelled', removed: true })
    expect(agentRuns.requests).toEqual([])
  })

  test('refuses a job at work, and one that merges', async () => {
    const { submit, journal, workspaces, presence, agentRuns, scheduler } = dock()
    const [job] = submit({ name: 'busy' })
    agentRuns.behaviour = untilAborted
    const stop = new AbortController()
    const run = scheduler.run({ jobs: 'all', concurrency: 1, signal: stop.signal })
    await until(() => deriveJob(journal, 'busy').status === 'running')
    await expect(removeJob({ journal, workspaces, presence }, 'busy', 'ann')).rejects.toThrow('Cannot remove busy: it is running.')
    stop.abort()
    await run
    expect(workspaces.removed).toEqual([])
    expect(deriveJob(journal, job?.id ?? '').removed).toBe(false)
  })
})
