import { describe, expect, test, vi } from 'vitest'
import { BulkheadError, type AgentRunRequest } from '../../../core/contracts/index.ts'
import { cancelJob, deriveJob, deriveJobs, pauseQueue, resumeQueue } from '../../../core/scheduler/index.ts'
import { exited, untilAborted } from '../../support/fake-agent-runs.ts'
import { stage, until } from '../../support/scheduling.ts'

const promptOf = (request: AgentRunRequest): string => request.command.argv.at(-1) ?? ''

describe('order', () => {
  test('higher priority first, otherwise as submitted, never before its needs', async () => {
    const { scheduler, agentRuns, submit } = stage()
    const [first] = submit({ prompt: 'a' })
    submit({ prompt: 'b' }, { prompt: 'urgent', priority: 5 }, { prompt: 'urgent but needs a', priority: 9, needs: [first?.id ?? ''] })
    const outcome = await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(agentRuns.requests.map(promptOf)).toEqual(['urgent', 'a', 'urgent but needs a', 'b'])
    expect(outcome.stopped).toBeNull()
    expect(outcome.jobs.map((view) => view.status)).toEqual(['finished', 'finished', 'finished', 'finished'])
  })

  test('only what was asked for runs, with what that needs', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    const [need, , wanted] = submit({ prompt: 'need' }, { prompt: 'other' }, { prompt: 'wanted' })
    const [last] = submit({ prompt: 'last', needs: [need?.id ?? '', wanted?.id ?? ''] })
    const outcome = await scheduler.run({ jobs: [last?.id ?? ''], concurrency: 4 })
    expect(agentRuns.requests.map(promptOf)).toEqual(['need', 'wanted', 'last'])
    expect(outcome.jobs.map((view) => view.spec.prompt)).toEqual(['need', 'wanted', 'last'])
    expect(deriveJobs(journal).map((view) => view.status)).toEqual(['finished', 'queued', 'finished', 'finished'])
  })

  test('never more at once than allowed', async () => {
    const { scheduler, agentRuns, submit } = stage()
    agentRuns.behaviour = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3))
      return exited(0)
    }
    submit(...Array.from({ length: 20 }, () => ({})))
    await scheduler.run({ jobs: 'all', concurrency: 3 })
    expect(agentRuns.most).toBe(3)
    expect(agentRuns.requests).toHaveLength(20)
  })

  test('a job that needs one that failed fails too, and so do those that need it', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    agentRuns.behaviour = () => exited(3)
    const [bad] = submit({ name: 'bad' })
    const [middle] = submit({ name: 'middle', needs: [bad?.id ?? ''] })
    const [end] = submit({ name: 'end', needs: [middle?.id ?? ''] })
    expect(deriveJob(journal, 'end').reason).toBe('waits for middle')
    await scheduler.run({ jobs: [end?.id ?? ''], concurrency: 2 })
    expect(deriveJobs(journal).map(({ status, reason }) => ({ status, reason }))).toEqual([
      { status: 'failed', reason: 'the agent exited with code 3' },
      { status: 'failed', reason: 'needs bad, which failed' },
      { status: 'failed', reason: 'needs middle, which failed' },
    ])
    expect(agentRuns.requests).toHaveLength(1)
  })
})

describe('retry', () => {
  test('a failed attempt is repeated in the same workspace, up to the limit', async () => {
    const { scheduler, agentRuns, submit, journal, workspaces, story } = stage()
    const [job] = submit({ retry: { attempts: 3, delayMs: 1, maximumMs: 2 } })
    agentRuns.behaviour = () => exited(agentRuns.requests.length < 3 ? 1 : 0)
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'finished', attempt: 3, retryAt: null })
    expect(workspaces.made).toHaveLength(1)
    expect(job === undefined ? [] : story(job).filter((type) => ['job.claimed', 'job.failed', 'job.finished'].includes(type))).toEqual([
      'job.claimed',
      'job.failed',
      'job.claimed',
      'job.failed',
      'job.claimed',
      'job.finished',
    ])
  })

  test('what it changed is taken in when the last attempt failed, and the view says so', async () => {
    const { scheduler, agentRuns, submit, journal, workspaces } = stage()
    const [job] = submit({ retry: { attempts: 2, delayMs: 1, maximumMs: 1 } })
    agentRuns.behaviour = () => {
      workspaces.content.set(job?.name ?? '', `half, try ${agentRuns.requests.length}`)
      return exited(1)
    }
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    const view = deriveJob(journal, job?.id ?? '')
    expect({ status: view.status, attempt: view.attempt, reason: view.reason, files: view.counts.files }).toEqual({
      status: 'failed',
      attempt: 2,
      reason: 'the agent exited with code 1; what it changed is kept',
      files: 1,
    })
    expect(view.tree).toMatch(/^[0-9a-f]{40}$/)
  })

  test.each(['rule', 'output'] as const)('what ended by %s is not repeated', async (reason) => {
    const { scheduler, agentRuns, submit } = stage()
    submit({ retry: { attempts: 5, delayMs: 1, maximumMs: 1 } })
    agentRuns.behaviour = () => ({ ...exited(0), code: null, signal: 'SIGKILL', reason })
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(agentRuns.requests).toHaveLength(1)
  })

  test('a refused intake is not repeated and says why', async () => {
    const { scheduler, agentRuns, submit, journal, workspaces } = stage()
    const [job] = submit({ retry: { attempts: 5, delayMs: 1, maximumMs: 1 } })
    workspaces.refused.add(job?.name ?? '')
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(agentRuns.requests).toHaveLength(1)
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'failed', reason: 'a link points outside', tree: null })
  })

  test('the layers of the job’s environment prepare its workspace, once; one that they refuse to prepare is not made', async () => {
    const { scheduler, agentRuns, submit, journal, workspaces } = stage()
    const [job, refused] = submit({ name: 'a', retry: { attempts: 2, delayMs: 1, maximumMs: 1 } }, { name: 'b', priority: -1 })
    agentRuns.behaviour = () => {
      agentRuns.prepareFails = new BulkheadError('plugin_failed', 'no walls')
      return exited(agentRuns.requests.length === 1 ? 1 : 0)
    }
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(agentRuns.preparations.map(([environment, { directory, path }]) => [environment, directory, path])).toEqual([
      [job?.environment, '/making/a', '/workspaces/a/tree'],
      [refused?.environment, '/making/b', '/workspaces/b/tree'],
    ])
    expect(workspaces.made.map(({ name }) => name)).toEqual(['a'])
    expect(agentRuns.requests).toHaveLength(2)
    expect(deriveJobs(journal).map(({ status, reason }) => ({ status, reason }))).toEqual([
      { status: 'finished', reason: 'nothing was changed' },
      { status: 'failed', reason: 'no walls' },
    ])
  })

  test('a workspace that could not be made is tried again', async () => {
    const { scheduler, agentRuns, submit, journal, workspaces } = stage()
    const [job] = submit({ retry: { attempts: 2, delayMs: 20, maximumMs: 20 } })
    workspaces.unmakeable.add(job?.name ?? '')
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'finished', attempt: 2 })
    expect(agentRuns.requests).toHaveLength(1)
  })
})

describe('stopping', () => {
  test('a running job is cancelled through the journal, its work is kept, and others go on', async () => {
    const { scheduler, agentRuns, submit, journal, workspaces, isAlive } = stage()
    const [slow, quick] = submit({ name: 'slow' }, { name: 'quick' })
    agentRuns.behaviour = (request) => {
      if (request.job !== slow?.id) return exited(0)
      workspaces.content.set('slow', 'half')
      return untilAborted(request)
    }
    const run = scheduler.run({ jobs: 'all', concurrency: 2 })
    await until(() => deriveJob(journal, 'slow').status === 'running')
    expect(cancelJob({ journal, isAlive }, 'slow', 'ann')).toBe('requested')
    expect(() => cancelJob({ journal, isAlive }, 'slow', 'bob')).toThrow(/being stopped already/)
    await run
    expect(deriveJob(journal, 'slow')).toMatchObject({
      status: 'cancelled',
      reason: 'stopped by ann; what it changed is kept',
      cancelRequested: false,
    })
    expect(deriveJob(journal, quick?.id ?? '').status).toBe('finished')
  })

  test('a queued job is cancelled at once and never starts; a settled one cannot be', async () => {
    const { scheduler, agentRuns, submit, journal, isAlive } = stage()
    const [job] = submit({ name: 'one' })
    expect(cancelJob({ journal, isAlive }, job?.id ?? '', 'ann')).toBe('cancelled')
    expect(() => cancelJob({ journal, isAlive }, 'one', 'ann')).toThrow('Cannot stop one: it is cancelled.')
    expect(() => cancelJob({ journal, isAlive }, 'two', 'ann')).toThrow('There is no job "two".')
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(agentRuns.requests).toEqual([])
  })

  test('draining lets running jobs end and starts no more', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    submit({ name: 'one' }, { name: 'two' })
    const drain = new AbortController()
    let end: (() => void) | undefined
    agentRuns.behaviour = async () => {
      await new Promise<void>((resolve) => {
        end = resolve
      })
      return exited(0)
    }
    const run = scheduler.run({ jobs: 'all', concurrency: 1, drain: drain.signal })
    await until(() => deriveJob(journal, 'one').status === 'running')
    drain.abort()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(deriveJob(journal, 'one').status).toBe('running')
    end?.()
    const outcome = await run
    expect(outcome.stopped).toBe('drained')
    expect(outcome.jobs.map((view) => view.status)).toEqual(['finished', 'queued'])
  })

  test('the second signal ends running jobs at once; they go back to the queue without losing an attempt', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    const [job] = submit({ name: 'one' }, { name: 'two' })
    const drain = new AbortController()
    const stop = new AbortController()
    agentRuns.behaviour = untilAborted
    const run = scheduler.run({ jobs: 'all', concurrency: 1, drain: drain.signal, signal: stop.signal })
    await until(() => deriveJob(journal, 'one').status === 'running')
    drain.abort()
    stop.abort()
    expect((await run).stopped).toBe('shutdown')
    expect(deriveJob(journal, 'one')).toMatchObject({ status: 'queued', reason: 'interrupted: Bulkhead was stopped', orchestrator: null })
    agentRuns.behaviour = () => exited(0)
    await scheduler.run({ jobs: 'all', concurrency: 2 })
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'finished', attempt: 1 })
  })

  test('a paused queue starts nothing until it is resumed, whoever resumes it', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    const [job] = submit({})
    pauseQueue(journal, 'ann')
    const run = scheduler.run({ jobs: 'all', concurrency: 1 })
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(agentRuns.requests).toEqual([])
    expect(deriveJob(journal, job?.id ?? '').reason).toBe('the queue was paused by ann')
    resumeQueue(journal, 'bob')
    await run
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'finished' })
  })

  test('when the journal fails, running jobs are stopped and the error comes out', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    submit({ name: 'one' })
    agentRuns.behaviour = async (request) => {
      vi.spyOn(journal, 'append').mockImplementation(() => {
        throw new BulkheadError('host_no_space', 'full')
      })
      request.observer.denied?.({
        layer: 'network',
        plugin: 'x',
        reason: 'x',
        object: 'x',
        action: 'deny',
        program: null,
        remedy: null,
        lost: 0,
      })
      return untilAborted(request)
    }
    await expect(scheduler.run({ jobs: 'all', concurrency: 1 })).rejects.toThrow('full')
    expect(deriveJob(journal, 'one').status).toBe('running')
  })
})

describe('several processes', () => {
  test('two schedulers on one journal run every job once and stay within the bound together', async () => {
    const one = stage()
    const two = stage({ journal: one.journal, workspaces: one.workspaces })
    let now = 0
    let most = 0
    const behaviour = async (): Promise<ReturnType<typeof exited>> => {
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setTimeout(resolve, 2 + Math.random() * 4))
      now -= 1
      return exited(0)
    }
    one.agentRuns.behaviour = behaviour
    two.agentRuns.behaviour = behaviour
    const jobs = one.submit(...Array.from({ length: 60 }, () => ({})))
    // With a lower bound of its own, the first leaves room for the second.
    await Promise.all([one.scheduler.run({ jobs: 'all', concurrency: 2 }), two.scheduler.run({ jobs: 'all', concurrency: 4 })])
    const ran = [...one.agentRuns.requests, ...two.agentRuns.requests].map((request) => request.job)
    expect(ran.toSorted()).toEqual(jobs.map((job) => job.id).toSorted())
    expect(Math.min(one.agentRuns.requests.length, two.agentRuns.requests.length)).toBeGreaterThan(0)
    expect(most).toBe(4)
    expect(deriveJobs(one.journal).every((view) => view.status === 'finished')).toBe(true)
  })

  test('a job of a process that died is given back after recovery and runs again', async () => {
    const dead = new Set([4711])
    const isAlive = ({ pid }: { pid: number }): boolean => !dead.has(pid)
    const { scheduler, submit, journal, recovered, story } = stage({ isAlive })
    const [job] = submit({})
    const gone = journal.register({ pid: 4711, startTime: '1' })
    journal.append(job?.id ?? '', 'job.claimed', { orchestrator: gone, attempt: 1 })
    journal.append(job?.id ?? '', 'job.started', { pid: 1, startTime: '1' })
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(recovered).toEqual(['recovered'])
    expect(job === undefined ? [] : story(job)).toEqual([
      'job.submitted',
      'job.claimed',
      'job.started',
      'job.interrupted',
      'job.claimed',
      'job.prepared',
      'job.verified',
      'job.started',
      'job.exited',
      'job.finished',
    ])
    expect(deriveJob(journal, job?.id ?? '').attempt).toBe(1)
    expect(journal.orchestrators().map((record) => record.id)).not.toContain(gone)
  })

  test('a job of a process that lives is left alone, and waited for', async () => {
    const { scheduler, submit, journal, agentRuns } = stage({ isAlive: () => true })
    const [job] = submit({})
    const other = journal.register({ pid: 4711, startTime: '1' })
    journal.append(job?.id ?? '', 'job.claimed', { orchestrator: other, attempt: 1 })
    journal.append(job?.id ?? '', 'job.started', { pid: 1, startTime: '1' })
    const run = scheduler.run({ jobs: [job?.id ?? ''], concurrency: 1 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    journal.append(job?.id ?? '', 'job.finished', { commit: null, tree: null, counts: { files: 0, insertions: 0, deletions: 0 } })
    expect((await run).jobs.map((view) => view.status)).toEqual(['finished'])
    expect(agentRuns.requests).toEqual([])
  })

  test('a job during which processes keep dying is not started for ever', async () => {
    const { scheduler, submit, journal, agentRuns } = stage({ isAlive: ({ pid }) => pid === process.pid })
    const [job] = submit({})
    for (let death = 1; death <= 5; death++) {
      const gone = journal.register({ pid: 10_000_000 + death, startTime: '1' })
      journal.append(job?.id ?? '', 'job.claimed', { orchestrator: gone, attempt: 1 })
      if (death < 5) journal.append(job?.id ?? '', 'job.interrupted', { orchestrator: gone, reason: 'died' })
    }
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({
      status: 'failed',
      reason: 'a process of Bulkhead died 5 times in a row while it ran this job',
    })
    expect(agentRuns.requests).toEqual([])
  })

  test('a job whose process died can be cancelled without anybody running it', () => {
    const { submit, journal } = stage()
    const [job] = submit({})
    const gone = journal.register({ pid: 10_000_000, startTime: '1' })
    journal.append(job?.id ?? '', 'job.claimed', { orchestrator: gone, attempt: 1 })
    expect(cancelJob({ journal, isAlive: () => false }, job?.id ?? '', 'ann')).toBe('cancelled')
    expect(deriveJob(journal, job?.id ?? '')).toMatchObject({ status: 'cancelled', reason: 'stopped by ann' })
  })
})
