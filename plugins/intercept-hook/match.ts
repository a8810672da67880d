import { canonicalPath } from '../../native/index.ts'
import type { ObjectKind } from './acts.ts'

/** BH_HOOK_TEXT_MAX of `native/src/windows/hook-policy.h`, in UTF-16 units. */
const longest = 32_700

const numericAddress = /^(?:\[[0-9a-fA-F:.*]+\]|[0-9.*]+):[0-9*]+$/
const roots = /^(?:HKLM|HKCU|HKU|HKA)(?=\\|$)/i

/** Patterns for the native matcher, or why there are none. */
export type Compiled = { readonly patterns: readonly string[] } | { readonly reason: string }

/**
 * A `match` of the policy as patterns for the native matcher, which takes either slash for a separator, makes no difference of case, and
 * knows no escape: none of the names it sees can have a star in it.
 */
export function compile(kind: ObjectKind, match: string, workspace: string): Compiled {
  return bounded(compilers[kind](match, workspace))
}

const compilers: Readonly<Record<ObjectKind, (match: string, workspace: string) => Compiled>> = {
  path: compilePath,
  address: compileAddress,
  key: compileKey,
  name: (match) => ({ patterns: [match] }),
}

/** A path relative to the workspace covers what it names and everything below it. */
function compilePath(match: string, workspace: string): Compiled {
  const text = backslashed(match)
  if (names(text).includes('..')) return { reason: 'contains ".."' }
  if (text === '.' || text.startsWith('.\\')) {
    const named = [workspace, ...names(text)].join('\\')
    return { patterns: named.endsWith('\\**') ? [named] : [named, `${named}\\**`] }
  }
  if (text.startsWith('**')) return { patterns: [text] }
  const [, start = '', rest = ''] = /^([A-Za-z*]:|\\\\[^\\]+)(?:\\(.*))?$/s.exec(text) ?? []
  if (start !== '')
    return {
      patterns: [
        start +
          names(rest)
            .map((name) => `\\${name}`)
            .join('') +
          (names(rest).length === 0 ? '\\' : ''),
      ],
    }
  return { reason: 'neither starts with a drive, \\\\server, ./ or **' }
}

/** `address:port`, or the path of a local socket. */
function compileAddress(match: string, workspace: string): Compiled {
  if (numericAddress.test(match) || match.startsWith('**')) return { patterns: [match] }
  const path = compilePath(match, workspace)
  return 'patterns' in path ? path : { reason: 'is not address:port; system calls see addresses, host names are for network.allow' }
}

function compileKey(match: string): Compiled {
  const text = backslashed(match)
    .replace(/^HKEY_LOCAL_MACHINE/i, 'HKLM')
    .replace(/^HKEY_CURRENT_USER/i, 'HKCU')
    .replace(/^HKEY_USERS/i, 'HKU')
  if (!roots.test(text) && !text.startsWith('**')) return { reason: 'neither starts with HKLM, HKCU, HKU or HKA, nor with **' }
  return { patterns: [text.replace(/\\+$/, '')] }
}

/** Where `redirect` leads (undefined: there is no target), or why it cannot. */
export function compileTarget(
  kind: ObjectKind,
  target: string | undefined,
  workspace: string,
): { readonly target: string | null } | { readonly reason: string } {
  if (target === undefined) return { target: null }
  if (kind === 'address') {
    return /^(?:\[[0-9a-fA-F:]+\]|\d+(?:\.\d+){3}):\d+$/.test(target) ? { target } : { reason: 'is not a numeric address:port' }
  }
  const canonical = canonicalPath(/^\.[\\/]/.test(target) ? `${workspace}\\${target}` : target)
  return 'path' in canonical ? { target: canonical.path } : { reason: canonical.fault }
}

function backslashed(text: string): string {
  return text.replaceAll('/', '\\')
}

/** The components of a path, without empty ones and `.`. */
function names(text: string): readonly string[] {
  return text.split('\\').filter((name) => name !== '' && name !== '.')
}

function bounded(compiled: Compiled): Compiled {
  if ('reason' in compiled) return compiled
  const { patterns } = compiled
  if (patterns.some((pattern) => pattern.includes('\0'))) return { reason: 'contains a NUL character' }
  if (patterns.some((pattern) => pattern.length > longest)) return { reason: `is longer than ${longest} characters` }
  return { patterns }
}
