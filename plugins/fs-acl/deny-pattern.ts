import { canonicalPath, foldCase, nameFault } from '../../native/index.ts'

/** One component of a pattern: any number of components, one literal name, or a name with `*` in it. Names are compared without case. */
export type Segment =
  | { readonly kind: 'any' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'glob'; readonly match: (name: string) => boolean }

export interface DenyPattern {
  readonly text: string
  /** Where it begins: a drive (`C:\`) or the workspace. */
  readonly base: string
  readonly segments: readonly Segment[]
  readonly directoriesOnly: boolean
}

/**
 * `*` and `**` as in gitignore(5): without a separator in it a relative pattern matches at any depth, with one it starts at the workspace; a
 * separator at the end means directories only. Either slash separates. Everything else in gitignore's language, and every name that Windows
 * would take for another one, is refused rather than taken literally, because a pattern that was meant otherwise would close nothing.
 * Undefined when the pattern is not understood.
 */
export function parseDeny(text: string, workspace: string): DenyPattern | undefined {
  if (/[?[\]{}\0\n]|^!|^#/.test(text)) return undefined
  const drive = /^([A-Za-z]:)[\\/]/.exec(text)?.[1]
  const body = (drive === undefined ? text : text.slice(3)).replace(/[\\/]+$/, '').replace(/^(?:\.[\\/])+/, '')
  const names = body.split(/[\\/]/)
  if (names.some((name) => !isUnderstood(name))) return undefined
  const anywhere = drive === undefined && !/^\.[\\/]/.test(text) && names.length === 1
  return {
    text,
    base: drive === undefined ? workspace : `${drive.toUpperCase()}\\`,
    segments: [...(anywhere ? [{ kind: 'any' } as const] : []), ...names.map(segment)],
    directoriesOnly: /[\\/]$/.test(text),
  }
}

/** The name of an entry right in the workspace that must not even come to be, when that is all the pattern says. */
export function nameInWorkspace(text: string): string | undefined {
  const name = text.replace(/^(?:\.[\\/])+/, '').replace(/[\\/]+$/, '')
  return /[\\/*:]/.test(name) || !isUnderstood(name) ? undefined : name
}

/** The directory before the first wildcard of an absolute pattern; undefined for a relative one. */
export function fixedPart(text: string): string | undefined {
  if (!isAbsolute(text)) return undefined
  const names = text.split(/[\\/]/)
  const wild = names.findIndex((name) => name.includes('*'))
  const answer = canonicalPath(`${(wild < 0 ? names : names.slice(0, wild)).join('\\')}\\`)
  return 'path' in answer ? answer.path : undefined
}

export function isAbsolute(text: string): boolean {
  return /^[A-Za-z]:[\\/]/.test(text)
}

function isUnderstood(name: string): boolean {
  return name !== '' && !/^\.+$/.test(name) && nameFault(name.replaceAll('*', 'x')) === undefined
}

function segment(name: string): Segment {
  if (name === '**') return { kind: 'any' }
  if (!name.includes('*')) return { kind: 'name', name }
  const pieces = foldCase(name).split(/\*+/)
  return { kind: 'glob', match: (other) => matchesPieces(foldCase(other), pieces) }
}

/** Not by a regular expression: a name of many stars would take for ever. */
function matchesPieces(name: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces
  const last = rest.pop() ?? ''
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= name.length - last.length
}
