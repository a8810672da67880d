import { expect, test } from 'vitest'
import { z } from 'zod'
import { AgentRegistry } from '../../../core/agents/adapters.ts'
import type { AgentAdapter, AgentTask } from '../../../core/contracts/agent.ts'

const task: AgentTask = { job: 'job_000000000001', name: 'fix', prompt: 'fix it', attempt: 1, workspace: '/ws', scratch: '/scratch' }

const adapter: AgentAdapter<{ program: string }> = {
  id: 'agent-fake',
  contract: 1,
  options: z.object({ program: z.string().default('fake') }),
  command: ({ program }, { prompt }) => ({ argv: [program, prompt], environment: { A: 'b' }, stdin: prompt, files: { 'a/b.md': prompt } }),
}

const registry = (change: object = {}) => new AgentRegistry(new Map([['agent-fake', { ...adapter, ...change } as unknown as AgentAdapter]]))
const thrown = (work: () => unknown) => {
  try {
    return { returned: work() }
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: object }
    return { code, message, details }
  }
}

test('the command of an adapter, with the options’ defaults', () => {
  expect(registry().command('agent-fake', {}, task)).toEqual({
    argv: ['fake', 'fix it'],
    environment: { A: 'b' },
    stdin: 'fix it',
    files: { 'a/b.md': 'fix it' },
  })
})

test('unknown adapters name the nearest', () => {
  expect(thrown(() => registry().command('agent-fkae', {}, task))).toEqual({
    code: 'plugin_unknown',
    message: 'agent adapter "agent-fkae" is not installed',
    details: { plugin: 'agent-fkae', remedy: 'Did you mean "agent-fake"? Installed: agent-fake.' },
  })
  expect(thrown(() => new AgentRegistry(new Map()).get('x'))).toMatchObject({ details: { remedy: 'Installed: none.' } })
})

test.each([
  [{ id: 'agent-other' }, 'it calls itself "agent-other"'],
  [{ contract: 2 }, 'it is written for contract 2, this is 1'],
  [{ options: {} }, 'options is not a zod type'],
  [{ options: undefined }, 'options is not a zod type'],
  [{ command: 'x' }, 'command is not a function'],
])('a broken adapter %#', (change, fault) => {
  expect(thrown(() => registry(change).get('agent-fake'))).toMatchObject({
    code: 'plugin_invalid',
    message: `agent adapter "agent-fake" does not fulfil its contract: ${fault}`,
  })
})

test('wrong options name their place', () => {
  expect(thrown(() => registry().options('agent-fake', { program: 1 }))).toMatchObject({
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
  const outcome = thrown(() => registry({ command: () => command }).command('agent-fake', {}, task))
  expect(outcome).toMatchObject({ code: 'plugin_failed', details: { plugin: 'agent-fake', operation: 'command' } })
  expect(outcome.message).toContain(`agent adapter "agent-fake", command: it returned a wrong value: ${place}`)
})

const boom = () => {
  throw new Error('boom')
}
test('an adapter that throws', () => {
  expect(thrown(() => registry({ command: boom }).command('agent-fake', {}, task))).toMatchObject({
    code: 'plugin_failed',
    message: 'agent adapter "agent-fake", command: boom',
  })
})
