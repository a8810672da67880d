import { posix } from 'node:path'

/** Longest pattern the native module takes, in bytes without the NUL (`BH_MATCH_MAX` in `native/src/linux/intercept.h`). */
const longest = 4095

const numericAddress = /^(?:\[[0-9a-fA-F:.*]+\]|[0-9.*]+):[0-9*]+$/

/** Patterns for the native matcher, or why there are none. */
export type Compiled = { readonly patterns: readonly string[] } | { readonly reason: string }

/**
 * A `match` of the policy as patterns that the native matcher understands: absolute, without `.` and `..`. A path relative to the
 * workspace covers what it names and everything below it. The workspace's own path is taken literally whatever it contains.
 */
export function compilePath(match: string, workspace: string): Compiled {
  const below = match === '.' || match === './' || match.startsWith('./')
  if (!below && !match.startsWith('/') && !match.startsWith('**')) return { reason: 'is neither absolute nor starts with ./ or **' }
  if (match.split('/').includes('..')) return { reason: 'contains ".."' }
  if (!below) return bounded([match.startsWith('/') ? clean(match) : match])
  const named = clean(posix.join(literal(workspace), match))
  return bounded(named.endsWith('/**') ? [named] : [named, `${named}/**`])
}

/** `net.*`: an address and a port, a unix socket's path, or `@name` for an abstract one. */
export function compileAddress(match: string, workspace: string): Compiled {
  if (/^(?:\.?\/)/.test(match)) return compilePath(match, workspace)
  if (match.startsWith('@') || match.startsWith('**') || numericAddress.test(match)) return bounded([match])
  return { reason: 'is not address:port; system calls see addresses, host names are for network.allow' }
}

function clean(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

function literal(path: string): string {
  return path.replaceAll(/[\\*]/g, String.raw`\$&`)
}

function bounded(patterns: readonly string[]): Compiled {
  if (patterns.some((pattern) => pattern.includes('\0'))) return { reason: 'contains a NUL character' }
  if (patterns.some((pattern) => Buffer.byteLength(pattern) > longest)) return { reason: `is longer than ${longest} bytes` }
  return { patterns }
}
