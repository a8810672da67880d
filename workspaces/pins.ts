import { delimiter, dirname } from 'node:path'

/**
 * Configuration that every git process of ours gets at the highest precedence, so that no file can switch on something that runs a
 * program, opens a connection, or works in the background. It is the second wall: the first is that git is always given a git directory
 * that Bulkhead or the user owns, because filters, aliases and `ext::` remotes cannot be pinned by name.
 */
const pinnedConfig: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.askPass': 'false',
  'core.splitIndex': 'false',
  'core.untrackedCache': 'false',
  'core.quotePath': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
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

/** The pinned environment; built from nothing, so no `GIT_*`, pager, editor or proxy of the user's shell gets in. */
export function pinnedEnvironment(binary: string, config: Readonly<Record<string, string>> = {}): Record<string, string> {
  const entries = Object.entries({ ...pinnedConfig, ...config })
  const environment: Record<string, string> = {
    PATH: [dirname(binary), '/usr/bin', '/bin'].join(delimiter),
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
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
