import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { BulkheadError } from '../contracts/error.ts'
import { openPlain } from '../contracts/open-plain.ts'
import type { YamlFile } from './located.ts'

/** A file larger than this is no configuration. */
const largestBytes = 1_000_000

/**
 * Reads a YAML 1.2 file (core schema). Never follows a link when `trusted` is false: then an agent or a colleague may have put it there.
 * Throws `config_not_found`, `config_syntax`.
 */
export async function readYamlFile(path: string, trusted: boolean): Promise<YamlFile> {
  const text = readText(path, trusted)
  // The parser is loaded only where there is something to parse: many commands need no file at all.
  const { parseYaml } = await import('./yaml-parse.ts')
  return parseYaml(path, text)
}

function readText(path: string, trusted: boolean): string {
  let descriptor: number | undefined
  try {
    descriptor = trusted ? openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)) : openPlain(path, constants.O_RDONLY)
    const facts = fstatSync(descriptor)
    if (!facts.isFile()) throw unreadable(path, 'is not a regular file')
    if (facts.size > largestBytes) throw unreadable(path, `is larger than ${largestBytes} bytes`)
    return readFileSync(descriptor, 'utf8')
  } catch (error) {
    if (BulkheadError.is(error)) throw error
    const code = (error as NodeJS.ErrnoException).code
    const why =
      { ENOENT: 'does not exist', ELOOP: 'is a symbolic link', EACCES: 'cannot be read by you' }[code ?? ''] ?? `cannot be read (${code})`
    throw unreadable(path, why, error)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function unreadable(path: string, why: string, cause?: unknown): BulkheadError {
  return new BulkheadError('config_not_found', `the file ${why}`, { where: path, remedy: 'Name a YAML file that you can read.', cause })
}
