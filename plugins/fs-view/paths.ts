import { dirname } from 'node:path'

/** Comparison of canonical absolute paths, component by component: `/a/bc` is not inside `/a/b`. */
export function isInside(path: string, directory: string): boolean {
  return path !== directory && isSameOrInside(path, directory)
}

export function isSameOrInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)
}

export function isSameOrInsideAny(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => isSameOrInside(path, directory))
}

/** Number of components; 0 for `/`. */
export function depth(path: string): number {
  return path === '/' ? 0 : path.split('/').length - 1
}

/** Parents first, so that what is mounted later lies on top of what it is inside of. */
export function byDepth(left: { readonly target: string }, right: { readonly target: string }): number {
  return depth(left.target) - depth(right.target) || (left.target < right.target ? -1 : Number(left.target > right.target))
}

/** The path and every directory above it, nearest first. */
export function selfAndAbove(path: string): readonly string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [path, ...selfAndAbove(parent)]
}
