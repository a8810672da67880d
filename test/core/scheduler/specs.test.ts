import { expect, test } from 'vitest'
import type { Configuration, JobConfiguration, JobView } from '../../../core/contracts/index.ts'
import { buildJobSpecs, deriveJobs, removeJob, submitJobs } from '../../../core/scheduler/index.ts'
import { jobSpec, openPolicy } from '../../support/job-spec.ts'
import { stage } from '../../support/scheduling.ts'

const example = jobSpec()

const configuration: Configuration = {
  sources: [],
  environments: { linux: example.environment, other: { ...example.environment, name: 'other' } },
  environment: 'linux',
  agents: { codemod: { adapter: 'agent-x', options: { a: 1 } } },
  agent: 'codemod',
  policy: openPolicy,
  concurrency: 4,
  retry: { attempts: 2, delayMs: 1, maximumMs: 2 },
  gates: [{ name: 'test', command: ['npm', 'test'], limits: { timeMs: 1 } }],
  setup: ['npm', 'ci'],
  target: 'refs/heads/next',
  jobs: [],
}

const wish = (changes: Partial<JobConfiguration> = {}): JobConfiguration => ({
  name: null,
  prompt: 'Do it',
  agent: null,
  environment: null,
  needs: [],
  priority: 0,
  retry: null,
  policy: null,
  gates: null,
  target: null,
  base: null,
  setup: null,
  ...changes,
})

const facts = (existing: readonly JobView[] = []): Parameters<typeof buildJobSpecs>[2] => ({
  existing,
  now: 7,
  resolve: async ({ base, target }) => ({ base: base ?? 'f'.repeat(40), target: target ?? 'refs/heads/main' }),
})

test('what a job does not say comes from the configuration', async () => {
  const [spec] = await buildJobSpecs(configuration, [wish()], facts())
  expect(spec).toEqual({
    id: expect.stringMatching(/^job_[a-z0-9]{12}$/) as string,
    name: 'do-it',
    prompt: 'Do it',
    agent: { name: 'codemod', adapter: 'agent-x', options: { a: 1 } },
    environment: configuration.environments['linux'],
    policy: openPolicy,
    needs: [],
    priority: 0,
    retry: configuration.retry,
    target: 'refs/heads/next',
    base: 'f'.repeat(40),
    setup: ['npm', 'ci'],
    gates: configuration.gates,
    port: expect.any(Number) as number,
    submittedAt: 7,
  })
})

test('names are made unique, needs become ids, and ports do not collide', async () => {
  const { journal, submit } = stage()
  const [old] = submit({ name: 'do-it', port: 20_001 })
  const specs = await buildJobSpecs(
    configuration,
    [wish({ name: 'last', needs: ['do-it-2', 'do-it', old?.id ?? ''] }), wish(), wish({ environment: 'other', priority: 3 })],
    facts(deriveJobs(journal)),
  )
  expect(specs.map(({ name, priority, environment }) => [name, priority, environment.name])).toEqual([
    ['do-it-2', 0, 'none'],
    ['last', 0, 'none'],
    ['do-it-3', 3, 'other'],
  ])
  expect(specs[1]?.needs).toEqual([specs[0]?.id, old?.id, old?.id])
  expect(new Set([...specs.map((spec) => spec.port), 20_001]).size).toBe(4)
})

test('the names and ports of removed jobs can be used again', async () => {
  const { journal, submit, workspaces, presence } = stage()
  submit({ name: 'do-it' })
  await removeJob({ journal, workspaces, presence }, 'do-it', 'ann')
  const [spec] = await buildJobSpecs(configuration, [wish()], facts(deriveJobs(journal)))
  expect(spec?.name).toBe('do-it')
})

test.each([
  ['a circle', [wish({ name: 'a', needs: ['b'] }), wish({ name: 'b', needs: ['a'] })], 'Jobs need each other in a circle: a → b → a.'],
  ['a need that does not exist', [wish({ name: 'a', needs: ['zz'] })], 'a needs "zz", but there is no such job.'],
  ['a name twice', [wish({ name: 'a' }), wish({ name: 'a' })], 'A job named a exists already.'],
  ['a bad name', [wish({ name: '../a' })], '"../a" cannot be the name of a job.'],
  ['an unknown agent', [wish({ agent: 'constructor' })], 'There is no agent "constructor".'],
  ['an unknown environment', [wish({ environment: 'vm' })], 'There is no environment "vm".'],
])('%s is refused in one line', async (_, jobs, message) => {
  await expect(buildJobSpecs(configuration, jobs, facts())).rejects.toThrow(message)
})

test('no agent at all is refused', async () => {
  await expect(buildJobSpecs({ ...configuration, agent: null }, [wish()], facts())).rejects.toThrow('No agent is chosen for do-it.')
})

test('submissions at the same time do not collide', async () => {
  const { journal, presence } = stage()
  const submitOne = (): Promise<unknown> =>
    submitJobs({ journal, presence }, () => buildJobSpecs(configuration, [wish(), wish()], facts(deriveJobs(journal))))
  await Promise.all([submitOne(), submitOne(), submitOne()])
  const jobs = journal.jobs()
  expect(jobs.map((job) => job.name)).toEqual(['do-it', 'do-it-2', 'do-it-3', 'do-it-4', 'do-it-5', 'do-it-6'])
  expect(new Set(jobs.map((job) => job.port)).size).toBe(6)
})
