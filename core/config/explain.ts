import type { z } from 'zod'
import { nearest } from '../contracts/nearest.ts'
import { type JsonSchema, schemaAt } from './json-schema.ts'
import type { Problem } from './problem.ts'
import type { KeyPath, YamlFile } from './located.ts'

type Issue = z.core.$ZodIssue

/**
 * Turns what zod found into rules and remedies for people. Nouns and examples come from the schema (`title`, `examples`). `below` is the
 * place in the file that the checked value came from.
 */
export function explain(file: YamlFile, issues: readonly Issue[], schema: JsonSchema, below: KeyPath = []): Problem[] {
  return issues.flatMap((issue) => explainOne(file, issue, schema, below))
}

function explainOne(file: YamlFile, issue: Issue, schema: JsonSchema, below: KeyPath): Problem[] {
  const path = [...below, ...issue.path]
  const node = schemaAt(schema, issue.path)
  const here = (rule: string, remedy: string): Problem => ({ code: 'config_invalid', where: file.at(path), rule, remedy })
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(file, path, key, Object.keys(node?.properties ?? {})))
    case 'invalid_key': {
      const key = String(path.at(-1))
      const keyNode = schemaAt(schema, issue.path.slice(0, -1))?.propertyNames
      return [{ ...here(`"${key}" is not ${noun(keyNode)}`, example(keyNode)), where: file.atKey(path.slice(0, -1), key) }]
    }
    case 'custom':
      return [here(issue.message, String(issue.params?.['remedy'] ?? example(node)))]
    case 'invalid_value': {
      const value = valueAt(file, path)
      const known = issue.values.map(String)
      const meant = typeof value === 'string' ? nearest(value, known) : undefined
      return [
        here(mismatch(path, value, noun(node)), `${meant === undefined ? '' : `Did you mean "${meant}"? `}Known: ${known.join(', ')}.`),
      ]
    }
    case 'too_small':
    case 'too_big':
      return [here(`${show(path)} ${bound(issue)}`, example(node))]
    default:
      return [here(mismatch(path, valueAt(file, path), noun(node)), example(node))]
  }
}

function unknownKey(file: YamlFile, path: KeyPath, key: string, known: readonly string[]): Problem {
  const meant = nearest(key, known)
  const list = known.length === 0 ? 'Remove it.' : `Known here: ${known.join(', ')}.`
  return {
    code: 'config_invalid',
    where: file.atKey(path, key),
    rule: `unknown key "${show([...path, key])}"`,
    remedy: meant === undefined ? list : `Did you mean "${meant}"? ${list}`,
  }
}

function mismatch(path: KeyPath, value: unknown, wanted: string): string {
  return value === undefined ? `"${show(path)}" is missing` : `${show(path)} must be ${wanted}, not ${describe(value)}`
}

function bound(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const limit = String(issue.code === 'too_small' ? issue.minimum : issue.maximum)
  const relation = issue.code === 'too_small' ? 'at least' : 'at most'
  if (issue.code === 'too_small' && limit === '1' && ['array', 'string'].includes(issue.origin)) return 'must not be empty'
  if (issue.origin === 'array') return `must have ${relation} ${limit} entries`
  if (issue.origin === 'string') return `must have ${relation} ${limit} characters`
  return `must be ${relation} ${limit}`
}

const typeNouns: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a mapping',
  array: 'a list',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function noun(node: JsonSchema | undefined): string {
  if (node?.title !== undefined) return node.title
  if (node?.enum !== undefined) return 'one of the known words'
  return typeNouns[node?.type ?? ''] ?? 'something else'
}

function example(node: JsonSchema | undefined): string {
  const [first] = node?.examples ?? []
  if (first !== undefined) return `Write it like ${first}.`
  const inner = node?.items?.examples?.[0]
  if (inner !== undefined) return `Write it like [${inner}].`
  if (node?.type === 'string') return 'Write a text, in quotes where YAML would take it for something else.'
  if (node?.properties !== undefined) return `Known here: ${Object.keys(node.properties).join(', ')}.`
  return 'See docs/config.md.'
}

function describe(value: unknown): string {
  if (value === null) return 'nothing (which is what ~ alone means in YAML)'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"` : JSON.stringify(value)
}

/** `policy.network.allow[0]`; "the file" for the root. */
export function show(path: KeyPath): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return text === '' ? 'the file' : text.replace(/^\./, '')
}

function valueAt(file: YamlFile, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    file.value,
  )
}
