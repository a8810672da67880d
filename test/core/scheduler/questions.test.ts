import { describe, expect, test } from 'vitest'
import type { AgentRunRequest, Question } from '../../../core/contracts/index.ts'
import { answerQuestion, deriveJob } from '../../../core/scheduler/index.ts'
import { exited } from '../../support/fake-agent-runs.ts'
import { stage, until } from '../../support/scheduling.ts'

const question: Question = { rule: 2, on: 'file.delete', object: '/w/x', pid: 7, program: 'rm' }
const ask = ({ observer }: AgentRunRequest, signal = new AbortController().signal): Promise<boolean> | undefined =>
  observer.asked?.(question, signal)

describe('an agent asks', () => {
  test.each([true, false])('the job waits, and goes on with the answer %s', async (allow) => {
    const { scheduler, agentRuns, submit, journal } = stage()
    submit({ name: 'one' })
    const heard: unknown[] = []
    agentRuns.behaviour = async (request) => {
      heard.push(await ask(request))
      return exited(0)
    }
    const running = scheduler.run({ jobs: 'all', concurrency: 1 })
    await until(() => deriveJob(journal, 'one').status === 'waiting')
    expect(deriveJob(journal, 'one').questions).toEqual([{ question: 1, on: 'file.delete', object: '/w/x', program: 'rm', rule: 2 }])
    expect(deriveJob(journal, 'one').reason).toBe('asks for file.delete /w/x; bulkhead answer')
    expect(answerQuestion(journal, 'one', { allow, by: 'ann', question: null }).question).toBe(1)
    await running
    expect(heard).toEqual([allow])
    expect(deriveJob(journal, 'one').status).toBe('finished')
  })

  test('a question that is withdrawn, or whose job is stopped, is answered no', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    submit({ name: 'one' })
    const stop = new AbortController()
    const heard: unknown[] = []
    agentRuns.behaviour = async (request) => {
      heard.push(await ask(request, AbortSignal.timeout(20)))
      const second = ask(request)
      stop.abort()
      heard.push(await second)
      return exited(0)
    }
    await scheduler.run({ jobs: 'all', concurrency: 1, signal: stop.signal })
    expect(heard).toEqual([false, false])
    const answers = journal.events().flatMap((event) => (event.type === 'job.answered' ? [event.data] : []))
    expect(answers).toEqual([1, 2].map((number) => ({ question: number, allow: false, by: 'bulkhead' })))
  })

  test('no more than sixteen at once: the rest is answered no without asking', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    submit({ name: 'one' })
    let refused = 0
    agentRuns.behaviour = async (request) => {
      const limit = AbortSignal.timeout(100)
      const asked = Array.from({ length: 20 }, async () => ask(request, limit))
      for (const one of asked.slice(16)) if ((await one) === false && !limit.aborted) refused++
      await Promise.all(asked)
      return exited(0)
    }
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(refused).toBe(4)
    expect(journal.events().filter(({ type }) => type === 'job.asked')).toHaveLength(16)
  })

  test('what cannot be answered is said in one line', async () => {
    const { scheduler, agentRuns, submit, journal } = stage()
    submit({ name: 'one' })
    expect(() => answerQuestion(journal, 'one', { allow: true, by: 'ann', question: null })).toThrow('Cannot answer one: it is queued.')
    agentRuns.behaviour = async (request) => {
      const asked = ask(request)
      expect(() => answerQuestion(journal, 'one', { allow: true, by: 'ann', question: 9 })).toThrow(/^question 9 of one does not wait/)
      answerQuestion(journal, 'one', { allow: true, by: 'ann', question: 1 })
      expect(await asked).toBe(true)
      return exited(0)
    }
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(deriveJob(journal, 'one').status).toBe('finished')
  })

  test('a setup command has nobody to ask', async () => {
    const { scheduler, agentRuns, submit } = stage()
    submit({ name: 'one', setup: ['prepare'] })
    await scheduler.run({ jobs: 'all', concurrency: 1 })
    expect(agentRuns.requests.map(({ observer }) => observer.asked === undefined)).toEqual([true, false])
  })
})
