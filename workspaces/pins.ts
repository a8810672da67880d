import { delimiter, dirname, join } from 'node:path'
import { hasUnixFiles } from './filesystem.ts'

/**
 * Configuration that every git process of ours gets at the highest precedence, so that no file can switch on something that runs a
 * program, opens a connection, or works in the background. It is the second wall: the first is that git is always given a git directory
 * that Bulkhead or the user owns, because filters, aliases and `ext::` remotes cannot be pinned by name.
 */
const pinnedConfig: Readonly<Record<string, string>> = {
  'core.fsmonitor': 'false',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.askPass': 'false',
  'core.splitIndex': 'false',
  'core.untrackedCache': 'false',
  'core.quotePath': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.longPaths': 'true',
  'commit.gpgSign': 'false',
  'log.showSignature': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'diff.ignoreSubmodules': 'all',
  'fetch.recurseSubmodules': 'false',
  'protocol.allow': 'never',
  'credential.helper': '',
  'safe.bareRepository': 'explicit',
  'advice.detachedHead': 'false',
}

/** What tells git where the configuration of the user and of the machine is. The last three are Git for Windows' (`mingw_startup`). */
const userVariables = [
  'HOME',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_NOSYSTEM',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
] as const

/**
 * The pinned environment; built from nothing, so no `GIT_*`, pager, editor or proxy of the user's shell gets in. What must not exist is
 * named beside git itself: whoever could make it could replace git. (A root such as `/nonexistent` would be on the current drive on
 * Windows, where every user may make directories; and `/dev/null` is no file there.)
 */
export function pinnedEnvironment(binary: string, config: Readonly<Record<string, string>> = {}): Record<string, string> {
  const nothing = join(dirname(binary), 'nonexistent')
  const files = { 'core.hooksPath': nothing, 'core.attributesFile': nothing, 'core.excludesFile': nothing }
  const entries = Object.entries({ ...pinnedConfig, ...files, ...config })
  const environment: Record<string, string> = {
    PATH: [dirname(binary), ...(hasUnixFiles ? ['/usr/bin', '/bin'] : [])].join(delimiter),
    HOME: nothing,
    XDG_CONFIG_HOME: nothing,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: nothing,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_CONFIG_COUNT: String(entries.length),
  }
  for (const [index, [key, value]] of entries.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key
    environment[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return environment
}

/** The same where the user's own configuration must be read: only for commands that can run nothing of it. */
export function userEnvironment(binary: string, variables: NodeJS.ProcessEnv): Record<string, string> {
  const {
    GIT_CONFIG_GLOBAL: _global,
    GIT_CONFIG_NOSYSTEM: _system,
    HOME: _home,
    XDG_CONFIG_HOME: _xdg,
    ...pinned
  } = pinnedEnvironment(binary)
  const own = userVariables.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]]))
  // Without the pinned configuration: it would be read as the user's, and it refuses to start in a bare repository.
  return { ...pinned, ...Object.fromEntries(own), GIT_CONFIG_COUNT: '0' }
}
