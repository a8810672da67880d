import type { Problem } from './problem.ts'

export type KeyPath = readonly PropertyKey[]

/** A parsed YAML file that knows where each of its values stands. */
export interface YamlFile {
  readonly path: string
  readonly value: unknown
  /** `file:line:column` (both from 1) of the value at `path`, or of the nearest one above that exists. */
  at(path: KeyPath): string
  /** The same for a key itself. */
  atKey(path: KeyPath, key: string): string
}

export function problemAt(file: YamlFile, path: KeyPath, rule: string, remedy: string, code: Problem['code'] = 'config_invalid'): Problem {
  return { code, where: file.at(path), rule, remedy }
}
