import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** What decides where configuration is looked for. */
export interface Surroundings {
  readonly directory: string
  readonly home: string
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

/** Where the user's own file stands when nobody says otherwise (XDG base directories). */
export function usualUserFile({ home, variables }: Surroundings): string {
  const directory = nonEmpty(variables['XDG_CONFIG_HOME'])
  // The specification: a relative path is invalid and must be ignored.
  const base = directory?.startsWith('/') === true ? directory : join(home, '.config')
  return join(base, 'bulkhead', configurationFileName)
}

/** Directory above the state of every repository: `$BULKHEAD_STATE`, `$XDG_STATE_HOME/bulkhead` or `~/.local/state/bulkhead`. */
export function stateHome({ home, variables }: Surroundings): string {
  const own = nonEmpty(variables['BULKHEAD_STATE'])
  if (own !== null) return own
  const xdg = nonEmpty(variables['XDG_STATE_HOME'])
  return xdg?.startsWith('/') === true ? join(xdg, 'bulkhead') : join(home, '.local', 'state', 'bulkhead')
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text
}
