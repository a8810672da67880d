import { z } from 'zod'
import { interceptedActs, interceptionActions } from '../contracts/policy.ts'
import {
  openFileLimit,
  processLimit,
  durationLimit,
  networkRule,
  path,
  pathPattern,
  sizeLimit,
  text,
  variableName,
} from './schema-values.ts'

const filesystem = z
  .strictObject({
    read: z.array(path).optional().describe('Shown read-only besides the system’s tools. Relative to this file; `~` is your home.'),
    write: z.array(path).optional().describe('Shown writable besides the workspace. May not contain what Bulkhead itself rests on.'),
    deny: z
      .array(pathPattern)
      .optional()
      .describe(
        'Hidden even where `read`, `write` or the workspace would show them. `*` and `**` as in gitignore; relative means inside the workspace.',
      ),
  })
  .describe('What agents see besides their workspace. What is not listed does not exist for them.')

const network = z
  .strictObject({
    allow: z
      .array(networkRule)
      .optional()
      .describe(
        'Hosts that agents may reach. `*.example.com` means subdomains only. Without a port: 80 and 443. An empty list means none.',
      ),
  })
  .describe('Whom agents may talk to.')

const rule = z
  .strictObject({
    on: z
      .enum(interceptedActs)
      .describe('The act.')
      .meta({ examples: ['file.delete'] }),
    match: text
      .min(1)
      .max(4095)
      .describe(
        'Pattern on the object of the act: an absolute path, `./` and a path in the workspace, or `address:port`. `*` stays within a path component, `**` crosses them.',
      )
      .meta({ title: 'a pattern', examples: ['./dist/**', '/usr/bin/curl', '**'] }),
    action: z
      .enum([...interceptionActions, 'log'])
      .meta({ examples: ['deny'] })
      .transform((action) => (action === 'log' ? 'allow' : action))
      .describe('The answer. Every answer is recorded; `allow` (or `log`) lets it happen and records it.'),
    target: text
      .min(1)
      .max(4095)
      .optional()
      .describe('Where `redirect` leads: an absolute path, `./` and a path in the workspace, or a numeric `address:port`.')
      .meta({ title: 'a target', examples: ['./scratch/log.txt'] }),
  })
  .refine(({ action, target }) => (action === 'redirect') === (target !== undefined), {
    message: 'a rule has a target when its action is redirect, and only then',
    path: ['target'],
  })
  .meta({ title: 'a rule', examples: ['{on: file.delete, match: ./dist/**, action: deny}'] })

const limits = z
  .strictObject({
    time: durationLimit.optional().describe('Wall time of one attempt.'),
    stall: durationLimit.optional().describe('Ends a job that shows neither output nor a changed file for this long.'),
    output: sizeLimit.optional().describe('Standard output and standard error together.'),
    processes: processLimit.optional().describe('Processes and threads alive at once in a job.'),
    openFiles: openFileLimit.optional().describe('Open files of one process.'),
    temporary: sizeLimit.optional().describe('A job’s private /tmp, /dev/shm and home together.'),
  })
  .describe('How much a job may take.')

const environment = z
  .strictObject({
    pass: z
      .array(variableName)
      .optional()
      .describe('Names of variables whose values come from your environment when a command starts. They are never stored.'),
    set: z
      .record(variableName, text)
      .optional()
      .describe('Variables with fixed values.')
      .meta({ examples: ['{CI: "true"}'] }),
  })
  .describe('The environment variables of agents. Everything else of your environment stays outside.')

export const policySchema = z.strictObject({
  filesystem: filesystem.optional(),
  network: network.optional(),
  interception: z
    .array(rule)
    .max(1000)
    .optional()
    .describe('What happens when an agent tries something sensitive. The first matching rule wins.'),
  limits: limits.optional(),
  environment: environment.optional(),
})

/** A policy as written: what is missing is inherited. Paths not yet resolved. */
export type WrittenPolicy = z.output<typeof policySchema>
