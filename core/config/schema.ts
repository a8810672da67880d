import { z } from 'zod'
import { policySchema } from './schema-policy.ts'
import { branch, commandLine, duration, name, pluginId, revision, text } from './schema-values.ts'

const layerChoice = z
  .union([pluginId, z.looseObject({ plugin: pluginId })])
  .meta({ title: 'the name of a plugin, or a mapping with "plugin" and its options', examples: ['<layer>-<mechanism>'] })
  .transform((choice) => {
    if (typeof choice === 'string') return { plugin: choice, options: {} }
    const { plugin, ...options } = choice
    return { plugin, options }
  })

const environment = z
  .strictObject({
    filesystem: layerChoice.optional().describe('What agents see and can change.'),
    token: layerChoice.optional().describe('Who agents are.'),
    network: layerChoice.optional().describe('Whom agents can talk to.'),
    interception: layerChoice.optional().describe('What happens when agents try something sensitive.'),
    degrade: z
      .array(z.enum(['filesystem', 'token', 'network', 'interception']))
      .optional()
      .describe(
        'Layers that may leave parts of the policy unenforced. Every listing then shows it. The only thing that can be set of a built-in environment.',
      )
      .meta({ examples: ['[interception]'] }),
  })
  .meta({ title: 'an environment', examples: ['{network: {plugin: <layer>-<mechanism>}}'] })
  .describe('One plugin for each layer; a layer that is left out is the one of the built-in default environment.')

const agent = z
  .looseObject({ adapter: pluginId.describe('The adapter, a plugin `agent-<name>`. Its options stand beside it.') })
  .meta({ title: 'an agent: "adapter" and its options', examples: ['{adapter: agent-<name>, command: [my-agent]}'] })
  .transform(({ adapter, ...options }) => ({ adapter, options }))

const retry = z
  .strictObject({
    attempts: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Attempts in all.')
      .meta({ title: 'a number from 1 to 100', examples: [3] }),
    delay: duration.optional().describe('First delay; doubles with each attempt, with jitter.'),
    maximum: duration.optional().describe('Longest delay.'),
  })
  .describe('What happens when a job fails.')

const gate = z
  .strictObject({
    name: name.describe('Shown in listings.'),
    command: commandLine.describe('Runs on the very commit that is about to land, in an enforced workspace; must exit with 0.'),
    time: duration.optional().describe('Default 30m.'),
  })
  .meta({ title: 'a gate', examples: ['{name: test, command: [npm, test]}'] })

const gates = z
  .array(gate)
  .max(100)
  .meta({ title: 'a list of gates', examples: ['[{name: test, command: [npm, test]}]'] })
  .describe('Checks that must pass before work lands.')
const setup = commandLine.describe('Runs once in each new workspace, behind the walls, before the agent.')
const target = branch.describe('Branch that approved work lands on. Default: the branch that is checked out.')

const job = z
  .strictObject({
    name: name.optional().describe('Default: made from the prompt.'),
    prompt: text
      .min(1)
      .max(1_000_000)
      .describe('What the agent is asked to do.')
      .meta({ title: 'a text', examples: ['Fix the flaky test'] }),
    agent: name.optional().describe('Default: the default agent.'),
    environment: name.optional().describe('Default: the default environment.'),
    needs: z
      .array(name)
      .optional()
      .describe('Jobs that must be finished before this one starts.')
      .meta({ examples: ['[build]'] }),
    priority: z
      .int()
      .min(-1000)
      .max(1000)
      .optional()
      .describe('Higher first.')
      .meta({ title: 'a number from -1000 to 1000', examples: [0] }),
    retry: retry.optional(),
    policy: policySchema.optional().describe('Can only narrow the policy.'),
    gates: gates.optional(),
    target: target.optional(),
    base: revision.optional().describe('Where the workspace starts. Default: the tip of the target.'),
    setup: setup.optional(),
  })
  .meta({ title: 'a job', examples: ['{name: fix, prompt: Fix the flaky test}'] })

const jobs = z.array(job).max(10_000)

/** `bulkhead.yaml`, both the user's and the repository's. */
export const configurationSchema = z
  .strictObject({
    version: z
      .literal(1)
      .optional()
      .describe('Version of this format.')
      .meta({ title: '1', examples: [1] }),
    environment: name.optional().describe('Environment used when nothing else is said. Default: the built-in one with all walls.'),
    environments: z.record(name, environment).optional().describe('Your own environments. Only in your own file, never in a repository.'),
    agent: name.optional().describe('Agent used when nothing else is said. Not needed when there is only one.'),
    agents: z.record(name, agent).optional().describe('Agents by name.'),
    policy: policySchema.optional().describe('What agents may do. In a repository it can only narrow yours.'),
    concurrency: z
      .int()
      .min(1)
      .max(256)
      .optional()
      .describe('Jobs that run at once.')
      .meta({ title: 'a number from 1 to 256', examples: [4] }),
    retry: retry.optional(),
    gates: gates.optional(),
    setup: setup.optional(),
    target: target.optional(),
    jobs: jobs.optional().describe('Jobs that `bulkhead run` without arguments submits, unless they exist.'),
  })
  .meta({ title: 'a mapping', description: 'Configuration of Bulkhead.' })

/** `bulkhead run -f FILE`. */
export const jobsFileSchema = z
  .strictObject({ jobs: jobs.min(1) })
  .meta({ title: 'a mapping with "jobs"', examples: ['{jobs: [{prompt: Fix the flaky test}]}'] })

export type WrittenConfiguration = z.output<typeof configurationSchema>
export type WrittenJob = z.output<typeof job>
export type WrittenEnvironment = z.output<typeof environment>
export type WrittenRetry = z.output<typeof retry>
export type WrittenGate = z.output<typeof gate>
