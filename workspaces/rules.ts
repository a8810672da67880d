import { deceptive } from '../core/contracts/deceptive-text.ts'
import { Buffer } from 'node:buffer'
import { BulkheadError } from '../core/contracts/error.ts'
import { visibleLine } from './visible.ts'

/** What one intake may hold. Bytes are those of the files as git stores them. */
export const intakeLimits = {
  files: 50_000,
  fileBytes: 100 * 1024 * 1024,
  totalBytes: 1024 * 1024 * 1024,
  pathBytes: 1000,
  componentBytes: 255,
  depth: 60,
  linkBytes: 1000,
} as const

export type IntakeLimits = { readonly [K in keyof typeof intakeLimits]: number }

/** Code points that HFS+ ignores in names (git's `next_hfs_char`), bidirectional controls among them. */
const ignoredInNames = /[\u200c-\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff]/g

/** Throws `intake_refused` naming the path. */
export function refuse(path: string, why: string, remedy = 'Rename or remove it in the workspace, or reject the job.'): never {
  throw new BulkheadError('intake_refused', `${visibleLine(path)}: ${why}`, { where: path, remedy })
}

/**
 * Throws `intake_refused` unless `path`, as the agent named it, is harmless on every system: a path that Linux takes for a plain file can be
 * `.git/config` on another (`.GIT`, `git~1`, `.git .`, `.git::$INDEX_ALLOCATION`, `.g\u200cit`: CVE-2014-9390, CVE-2019-1352, CVE-2019-1353).
 */
export function checkPath(path: string): void {
  if (path.includes('\uFFFD')) refuse(path, 'the name is not UTF-8')
  if (Buffer.byteLength(path) > intakeLimits.pathBytes) refuse(path, `the path is longer than ${intakeLimits.pathBytes} bytes`)
  const components = path.split('/')
  if (components.length > intakeLimits.depth) refuse(path, `the path is deeper than ${intakeLimits.depth} directories`)
  for (const component of components) {
    const problem = componentProblem(component)
    if (problem !== undefined) refuse(path, problem)
  }
}

function componentProblem(component: string): string | undefined {
  if (component === '' || component === '.' || component === '..') return 'the path is not in its simplest form'
  if (isGitName(component)) return 'a system can take the name for .git'
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(component)) return 'the name has a control character'
  if (deceptive.test(component)) return 'the name has an invisible character'
  if (component.includes('\\')) return 'the name has a backslash, which separates directories on Windows'
  if (component.includes(':')) return 'the name has a colon, which names a stream or drive on Windows'
  if (/[. ]$/.test(component)) return 'the name ends in a dot or space, which Windows drops'
  if (Buffer.byteLength(component) > intakeLimits.componentBytes) return `a name is longer than ${intakeLimits.componentBytes} bytes`
  return undefined
}

/** True for every spelling that some filesystem takes for `.git`. */
export function isGitName(component: string): boolean {
  const folded = component
    .replaceAll(ignoredInNames, '')
    .normalize('NFKC')
    .toLowerCase()
    .split(/[:\\]/, 1)[0]
    ?.replace(/[. ]+$/, '')
  return folded === '.git' || /^git~[0-9]+$/.test(folded ?? '')
}

/** Two paths with the same key are one file on a system that ignores case or normalises Unicode. */
function collisionKey(path: string): string {
  return path.normalize('NFC').toLowerCase().normalize('NFC')
}

/**
 * Throws `intake_refused` unless the link at `path` stays inside the repository. `..` may only lead the target: what follows a name can be
 * a link itself, and `..` behind a link leads elsewhere than the text says.
 */
export function checkLink(path: string, target: string): void {
  const depth = path.split('/').length - 1
  const parts = target.split('/')
  const ups = parts.findIndex((part) => part !== '..')
  const rest = ups === -1 ? [] : parts.slice(ups)
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (target === '' || target.includes('\uFFFD') || /[\u0000-\u001f\u007f-\u009f\\]/.test(target))
    refuse(path, 'the link’s target is not a plain path')
  if (Buffer.byteLength(target) > intakeLimits.linkBytes) refuse(path, `the link’s target is longer than ${intakeLimits.linkBytes} bytes`)
  if (target.startsWith('/') || /^[A-Za-z]:/.test(target)) refuse(path, 'the link’s target is absolute')
  if ((ups === -1 ? parts.length : ups) > depth) refuse(path, 'the link leads out of the repository')
  if (rest.includes('..')) refuse(path, 'the link’s target has .. after a name')
  if (rest.some(isGitName)) refuse(path, 'the link leads into .git')
  if (/^\.git/i.test(path.split('/').at(-1) ?? '')) refuse(path, 'a file that configures git must not be a link')
}

/** Throws `intake_refused` for a path that another path of `tree` differs from only by case or Unicode form, unless `base` had that already. */
export function checkCollisions(added: readonly string[], tree: readonly string[], base: readonly string[]): void {
  if (added.length === 0) return
  const known = spellings(base)
  const present = spellings(tree)
  for (const path of added) {
    for (const prefix of prefixes(path)) {
      const key = collisionKey(prefix)
      const others = [...(present.get(key) ?? [])].filter((other) => other !== prefix)
      const inBase = known.get(key)
      if (others.length > 0 && !(inBase?.has(prefix) === true && others.every((other) => inBase.has(other)))) {
        refuse(path, `differs from ${visibleLine(others[0] ?? '')} only by case or Unicode form`)
      }
    }
  }
}

function spellings(paths: readonly string[]): Map<string, Set<string>> {
  const map = new Map<string, Set<string>>()
  const seen = new Set<string>()
  for (const path of paths) {
    for (const prefix of prefixes(path)) {
      if (seen.has(prefix)) continue
      seen.add(prefix)
      const key = collisionKey(prefix)
      map.set(key, (map.get(key) ?? new Set()).add(prefix))
    }
  }
  return map
}

function* prefixes(path: string): Generator<string> {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) yield path.slice(0, end)
  yield path
}

/**
 * Throws `intake_refused` when the tree gained a directory that git would take for a bare repository (`HEAD` with `objects` and `refs`, or
 * with `commondir`): git started there reads its configuration, which can name programs.
 */
export function checkEmbedded(added: readonly string[], tree: readonly string[]): void {
  const parts = /^(?:HEAD|commondir|objects|refs)$/i
  const folders = new Set<string>()
  for (const path of added) {
    const components = path.split('/')
    for (const [index, component] of components.entries()) if (parts.test(component)) folders.add(components.slice(0, index).join('/'))
  }
  for (const folder of folders) {
    const start = folder === '' ? '' : `${folder}/`
    const names = new Set(
      tree.filter((path) => path.startsWith(start)).map((path) => path.slice(start.length).split('/')[0]?.toLowerCase()),
    )
    if (names.has('head') && (names.has('commondir') || (names.has('objects') && names.has('refs')))) {
      refuse(folder === '' ? '.' : folder, 'is a git repository of its own (bare)', 'Remove the directory, or keep it as an archive file.')
    }
  }
}
