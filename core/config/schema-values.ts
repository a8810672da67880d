import { z } from 'zod'
import { parseNetworkRule } from './network-rule.ts'
import { parseDuration, parseSize } from './units.ts'

/**
 * The values that configuration files are made of. `title` is the noun that error messages use, the first example is the remedy they give,
 * and both go into the published JSON Schema.
 */

/** What stands for "not limited". */
export const unlimited = 'unlimited'

/** Adds an issue whose message is the rule and whose parameter is the remedy; see `explain.ts`. */
function reject(context: z.RefinementCtx, rule: string, remedy: string): never {
  context.addIssue({ code: 'custom', message: rule, params: { remedy } })
  return z.NEVER
}

interface Notes {
  readonly title: string
  readonly examples: readonly [string, ...string[]]
}

/** A text that `parse` understands. The notes belong to what is written, not to what it becomes, so they stand before the transformation. */
function parsed<T>(parse: (text: string) => T | undefined, notes: Notes) {
  return z
    .string()
    .meta({ title: notes.title, examples: [...notes.examples] })
    .transform((text, context): T => {
      const value = parse(text)
      return value === undefined ? reject(context, `"${text}" is not ${notes.title}`, `Write it like ${notes.examples.join(', ')}.`) : value
    })
}

export const duration = parsed(parseDuration, { title: 'a duration', examples: ['30m', '45s', '1h30m'] })

export const durationLimit = parsed((text) => (text === unlimited ? null : parseDuration(text)), {
  title: 'a duration',
  examples: ['30m', '2h', unlimited],
})

export const sizeLimit = parsed((text) => (text === unlimited ? null : parseSize(text)), {
  title: 'a size',
  examples: ['512MB', '1GiB', unlimited],
})

/** Below `least` not even our own attacks from inside can be made, so nothing would start. */
const countLimit = (least: number) =>
  z
    .union([z.int().min(least).max(1_000_000), z.literal(unlimited)])
    .meta({ title: `a number from ${least} to 1000000, or "${unlimited}"`, examples: [512, unlimited] })

export const processLimit = countLimit(2)
export const openFileLimit = countLimit(32)

export const text = z
  .string()
  .refine((value) => !value.includes('\0'), { error: 'a text may not contain NUL', params: { remedy: 'Remove the NUL character.' } })

export const path = text
  .min(1)
  .max(4095)
  .meta({ title: 'a path', examples: ['~/.cache/npm', '/opt/tools'] })

export const pathPattern = text
  .min(1)
  .max(4095)
  .refine((value) => !value.split(/[\\/]/).includes('..'), {
    error: 'a pattern may not contain ".."',
    params: { remedy: 'Write the absolute path, or one relative to the workspace.' },
  })
  .meta({ title: 'a path or pattern', examples: ['.env', '**/*.pem', '~/.ssh'] })

export const networkRule = z
  .string()
  .meta({ title: 'a host', examples: ['api.example.com', '*.example.com', 'registry.example.com:8443', '192.0.2.1'] })
  .transform((value, context) => {
    const result = parseNetworkRule(value)
    return 'rule' in result ? result.rule : reject(context, result.problem, result.remedy)
  })

/** environ(7) allows more; this is what every shell and every operating system can handle. */
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/)
  .refine((name) => name !== '__proto__', { error: '"__proto__" is no variable name', params: { remedy: 'Choose another name.' } })
  .meta({ title: 'a variable name', examples: ['API_KEY'] })

/** Agents, environments and jobs. Job names also name directories and refs. */
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .meta({ title: 'a name of a-z, 0-9 and -', examples: ['fix-flaky-test'] })

export const pluginId = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/)
  .meta({ title: 'the name of a plugin', examples: ['<layer>-<mechanism>'] })

export const commandLine = z
  .array(text)
  .min(1)
  .refine((argv) => argv[0] !== '', { error: 'the program of a command is empty', params: { remedy: 'Write it like [npm, test].' } })
  .meta({ title: 'a list of arguments, the program first', examples: ['[npm, test]', '[sh, -c, "make && make check"]'] })

export const branch = z
  .string()
  // oxlint-disable-next-line no-control-regex -- refused, as git-check-ref-format(1) does
  .regex(/^(?!-)(?!.*(?:\.\.|\/\/|@\{|\/-|\/\.))[^\u0000-\u0020\u007f~^:?*[\\]{1,240}(?<!\/|\.lock|\.)$/)
  .meta({ title: 'a branch', examples: ['main', 'refs/heads/main'] })
  .transform((value) => (value.startsWith('refs/heads/') ? value : `refs/heads/${value}`))

export const revision = z
  .string()
  // oxlint-disable-next-line no-control-regex -- refused
  .regex(/^(?!-)[^\u0000-\u0020\u007f]{1,240}$/)
  .meta({ title: 'a branch, tag or commit', examples: ['main', 'v1.2.0'] })
