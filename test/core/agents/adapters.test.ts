import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkedAdapters } from '../../../core/agents/adapters.ts'
import type { AgentAdapter, AgentTask } from '../../../core/contracts/agent.ts'

const task: AgentTask = { job: 'job_000000000001', name: 'fix', prompt: 'fix it', attempt: 1, workspace: '/ws', scratch: '/scratch' }

const adapter: AgentAdapter<{ program: string }> = {
  id: 'agent-fake',
  contract: 1,
  options: z.object({ program: z.string().default('fake') }),
  command: ({ program }, { prompt }) => ({ argv: [program, prompt], environment: { A: 'b' }, stdin: prompt, files: { 'a/b.md': prompt } }),
}

const ask = (change: object = {}, options: unknown = {}) => {
  const adapters = checkedAdapters(new Map([['agent-fake', { ...adapter, ...change } as unknown as AgentAdapter]]))
  return adapters.get('agent-fake')?.command(options, task)
}
const thrown = (work: () => unknown) => {
  try {
    return { returned: work() }
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: object }
    return { code, message, details }
  }
}

test('the command of an adapter, with the options’ defaults', () => {
  expect(ask()).toEqual({
    argv: ['fake', 'fix it'],
    environment: { A: 'b' },
    stdin: 'fix it',
    files: { 'a/b.md': 'fix it' },
  })
})

test('a broken adapter does not stop those who use another, and keeps its place in the list', () => {
  const adapters = checkedAdapters(
    new Map([
      ['agent-fake', adapter],
      ['agent-null', null as unknown as AgentAdapter],
      ['Agent', { ...adapter, id: 'Agent' }],
    ]),
  )
  expect([...adapters.keys()]).toEqual(['agent-fake', 'agent-null', 'Agent'])
  expect(adapters.get('agent-fake')?.options).toBe(adapter.options)
  expect(thrown(() => adapters.get('agent-null')?.command({}, task))).toMatchObject({ code: 'plugin_invalid' })
  expect(thrown(() => adapters.get('Agent')?.command({}, task))).toMatchObject({
    code: 'plugin_invalid',
    message: 'agent adapter "Agent" does not fulfil its contract: its id is not of the form agent-<name>',
  })
})

test.each([
  [{ id: 'agent-other' }, 'it calls itself "agent-other"'],
  [{ contract: 2 }, 'it is written for contract 2, this is 1'],
  [{ options: {} }, 'options is not a zod type'],
  [{ options: undefined }, 'options is not a zod type'],
  [{ command: 'x' }, 'command is not a function'],
])('a broken adapter %#', (change, fault) => {
  expect(thrown(() => ask(change))).toMatchObject({
    code: 'plugin_invalid',
    message: `agent adapter "agent-fake" does not fulfil its contract: ${fault}`,
  })
})

test('wrong options name their place', () => {
  expect(thrown(() => ask({}, { program: 1 }))).toMatchObject({
    code: 'config_invalid',
    message: 'options of agent adapter "agent-fake": program: Invalid input: expected string, received number',
  })
})

const good = { argv: ['a'], environment: {}, stdin: null, files: {} }
test.each<readonly [unknown, string]>([
  [undefined, 'Invalid input: expected object'],
  [{ ...good, argv: [] }, 'argv'],
  [{ ...good, argv: [''] }, 'argv.0'],
  [{ ...good, argv: ['a', 'b\0c'] }, 'argv.1: contains a NUL character'],
  [{ ...good, environment: { 'A=B': 'x' } }, 'environment'],
  [{ ...good, environment: { A: 'x\0y' } }, 'environment.A: contains a NUL character'],
  [{ ...good, files: { '../x': 'y' } }, 'files'],
])('a wrong command %# fails in the adapter’s name', (command, place) => {
  const outcome = thrown(() => ask({ command: () => command }))
  expect(outcome).toMatchObject({ code: 'plugin_failed', details: { plugin: 'agent-fake', operation: 'command' } })
  expect(outcome.message).toContain(`agent adapter "agent-fake", command: it returned a wrong value: ${place}`)
})

const boom = () => {
  throw new Error('boom')
}
test('an adapter that throws', () => {
  expect(thrown(() => ask({ command: boom }))).toMatchObject({
    code: 'plugin_failed',
    message: 'agent adapter "agent-fake", command: boom',
  })
})
