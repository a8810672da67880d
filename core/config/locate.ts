import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { BulkheadError } from '../contracts/error.ts'
import { realPrefix } from './canonical-path.ts'

/** What decides where configuration is looked for. */
export interface Surroundings {
  readonly directory: string
  readonly home: string
  /** Where this system keeps the files that a person writes for programs, and those that programs keep for themselves. Absolute. */
  readonly folders: { readonly configuration: string; readonly state: string }
  readonly variables: Readonly<Record<string, string | undefined>>
}

export const configurationFileName = 'bulkhead.yaml'

/** The user's own file: the one that is named, or the one that exists; null when there is none. */
export function userFile(named: string | null, surroundings: Surroundings): string | null {
  const chosen = named ?? nonEmpty(surroundings.variables['BULKHEAD_CONFIG'])
  if (chosen !== null) return resolve(surroundings.directory, chosen)
  const usual = usualUserFile(surroundings)
  return existsSync(usual) ? usual : null
}

/** Where the user's own file stands when nobody says otherwise. */
export function usualUserFile({ folders }: Surroundings): string {
  return join(folders.configuration, 'bulkhead', configurationFileName)
}

/**
 * Directory above the state of every repository, canonical: `$BULKHEAD_STATE`, or `bulkhead` where this system keeps such things. Throws
 * `usage_invalid` for a relative one.
 */
export function stateHome({ folders, variables }: Surroundings): string {
  const own = nonEmpty(variables['BULKHEAD_STATE'])
  if (own === null) return realPrefix(join(folders.state, 'bulkhead'))
  if (isAbsolute(own)) return realPrefix(own)
  throw new BulkheadError('usage_invalid', 'BULKHEAD_STATE is not an absolute path', { remedy: 'Set it to an absolute path.' })
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text
}
