import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path'

export interface PathBase {
  /** Directory of the file a path stands in. */
  readonly directory: string
  readonly home: string
}

/**
 * The one absolute spelling of a path that a person wrote: `~` is the home directory, relative means relative to the file, links are
 * resolved as far as the path exists. Undefined for `~name`.
 */
export function canonicalPath(text: string, base: PathBase): string | undefined {
  const expanded = expandHome(text, base.home)
  return expanded === undefined ? undefined : realPrefix(resolve(base.directory, expanded))
}

/** The same for a pattern: only what stands before the first wildcard is a path. A relative pattern stays as it is, without `./`. */
export function canonicalPattern(text: string, base: PathBase): string | undefined {
  const expanded = expandHome(text, base.home)
  if (expanded === undefined) return undefined
  if (!isAbsolute(expanded)) return expanded.replace(/^(?:\.\/+)+/, '')
  const { root } = parse(expanded)
  const components = expanded.slice(root.length).split(separators)
  const wild = components.findIndex((component) => /[*?[\]{}!]/.test(component))
  if (wild < 0) return realPrefix(resolve(expanded))
  return join(realPrefix(resolve(root, ...components.slice(0, wild))), ...components.slice(wild))
}

/** What separates the names of a path here: a slash everywhere, and whatever else this system takes for one. */
const separators = new RegExp(`[/${sep === '/' ? '' : '\\\\'}]`)

/** True when `path` is `directory` or below it. Both canonical. */
export function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

function expandHome(text: string, home: string): string | undefined {
  if (text === '~') return home
  if (text.startsWith('~/') || text.startsWith(`~${sep}`)) return join(home, text.slice(2))
  return text.startsWith('~') ? undefined : text
}

/** Resolves links (and short names, and case, where there are such) in the part that exists; the rest is kept, so that a path may be named before it is made. */
export function realPrefix(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPrefix(parent), basename(path))
  }
}
