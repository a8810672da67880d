import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyIndex } from './copy-index.ts'
import type { Git, Place } from './git.ts'
import type { WorkspacePaths } from './layout.ts'
import { privatePlace } from './private-repository.ts'
import { compareTrees, parseRaw, type RawChange } from './raw-diff.ts'
import type { Repository } from './repository.ts'
import { findTrap } from './traps.ts'
import { checkCollisions, checkEmbedded, checkLink, checkPath, intakeLimits, refuse, type IntakeLimits } from './rules.ts'

/** What was read of a workspace: everything is in the quarantine's object store, nothing is in the user's repository yet. */
export interface Reading {
  readonly place: Place
  readonly tree: string
  readonly changes: readonly RawChange[]
}

/**
 * Reads the content of a workspace into its quarantine and checks it against `base`. The result is one consistent tree: git hashes what it
 * read, and stops when a file changes under it. Throws `intake_refused` with the path.
 *
 * Nothing of the agent's git directory is looked at, so hidden index entries, excludes and configuration there have no effect. The stat
 * data compared with are those of Bulkhead's own checkout; a change time (ctime) cannot be set back by an agent.
 */
export async function readWorkspace(
  git: Git,
  repository: Repository,
  paths: WorkspacePaths,
  options: { readonly base: string; readonly included: readonly string[]; readonly limits?: IntakeLimits },
): Promise<Reading> {
  const limits = options.limits ?? intakeLimits
  if (!lstatSync(paths.tree).isDirectory()) refuse('.', 'the workspace is no longer a directory')
  chmodSync(paths.tree, 0o755)
  const index = join(paths.quarantine, `intake-${process.pid}-${sequence++}.index`)
  const place = privatePlace(paths.quarantine, repository, { workTree: paths.tree, index })
  try {
    copyIndex(join(paths.quarantine, 'index'), index)
    const trap = await findTrap(paths.tree)
    if (trap !== undefined) refuse(trap, 'is neither a file, a directory nor a link')
    const found = await changedPaths(git, place)
    checkCandidates(paths.tree, found, options.included, limits)
    await checkSubmodules(git, place, paths.tree)
    // Deletions apart: git refuses to look at a path whose directory became a link.
    await updateIndex(git, place, ['--force-remove'], found.deleted)
    await updateIndex(git, place, ['--add', '--remove', '--replace'], [...found.modified, ...found.added])
    const tree = (await git.text(place, ['write-tree'])).trim()
    const changes = await compareTrees(git, place, `${options.base}^{tree}`, tree, { renames: false })
    await checkTree(git, place, { base: options.base, tree, changes, limits })
    return { place, tree, changes }
  } finally {
    rmSync(index, { force: true })
    rmSync(`${index}.lock`, { force: true })
  }
}

let sequence = 0

interface Candidates {
  readonly deleted: readonly string[]
  readonly modified: readonly string[]
  readonly added: readonly string[]
}

/** Tracked files that look changed, and new files that are not ignored. git lists a repository of its own with a slash at the end. */
async function changedPaths(git: Git, place: Place): Promise<Candidates> {
  const raw = ['diff-files', '-z', '--raw', '--no-renames', '--ignore-submodules=all', '--no-ext-diff', '--no-textconv']
  const others = ['ls-files', '-z', '--others', '--exclude-standard']
  const [fields, found] = await Promise.all([git.fields(place, raw), git.run(place, others)])
  // git only warns and goes on, as if the directory were empty.
  const closed = /could not open directory '([^\n']*)/.exec(found.stderr)?.[1]
  if (closed !== undefined) refuse(closed, 'cannot be read', 'Make it readable (chmod u+rwx) or remove it in the workspace.')
  const added = found.stdout.toString('utf8').split('\0').slice(0, -1)
  const tracked = parseRaw(fields)
  const pick = (deleted: boolean): string[] => tracked.filter(({ status }) => (status === 'D') === deleted).map(({ path }) => path)
  return { deleted: pick(true), modified: pick(false), added }
}

async function updateIndex(git: Git, place: Place, how: readonly string[], paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return
  await git.run(place, ['update-index', '-z', ...how, '--stdin'], { input: paths.map((path) => `${path}\0`).join('') })
}

/** Before any content is read: names, kinds, sizes. */
function checkCandidates(tree: string, found: Candidates, included: readonly string[], limits: IntakeLimits): void {
  const count = found.deleted.length + found.modified.length + found.added.length
  if (count > limits.files) refuse('.', `${count} files changed, more than ${limits.files}`)
  const local = new Set(included)
  for (const path of found.added) {
    if (path.endsWith('/')) {
      refuse(path, 'is a git repository of its own', 'Remove its .git directory to keep the files, or the whole directory.')
    }
    checkPath(path)
    if (local.has(path))
      refuse(path, 'was copied from the main checkout by .worktreeinclude and must not be committed', 'Ignore it in .gitignore again.')
  }
  let bytes = 0
  for (const path of [...found.modified, ...found.added]) {
    const stat = lstatSync(join(tree, path), { throwIfNoEntry: false })
    if (stat === undefined || stat.isDirectory()) continue
    if (!stat.isFile() && !stat.isSymbolicLink()) refuse(path, 'is neither a file, a directory nor a link')
    if (stat.size > limits.fileBytes) refuse(path, `is larger than ${limits.fileBytes} bytes`)
    bytes += stat.size
    if (bytes > limits.totalBytes) refuse(path, `the changed files are larger than ${limits.totalBytes} bytes together`)
  }
}

/** git leaves out what lies in a submodule's directory; leaving it out silently would lose work. */
async function checkSubmodules(git: Git, place: Place, tree: string): Promise<void> {
  const entries = await git.fields(place, ['ls-files', '-z', '--stage'])
  for (const entry of entries) {
    if (!entry.startsWith('160000 ')) continue
    const path = entry.slice(entry.indexOf('\t') + 1)
    const stat = lstatSync(join(tree, path), { throwIfNoEntry: false })
    if (stat?.isDirectory() === true && readdirSync(join(tree, path)).length > 0) {
      refuse(
        path,
        'is a submodule with files in it, which cannot be taken',
        'Empty the directory and change the submodule in its own repository.',
      )
    }
  }
}

/** What was read, entry by entry, against the base. */
async function checkTree(
  git: Git,
  place: Place,
  read: { base: string; tree: string; changes: readonly RawChange[]; limits: IntakeLimits },
): Promise<void> {
  const added = read.changes.filter(({ status }) => status === 'A').map(({ path }) => path)
  const present = read.changes.filter(({ status }) => status !== 'D')
  for (const { path, newMode, oldMode } of present) {
    checkPath(path)
    if (newMode === '160000') refuse(path, 'is a submodule that was added or changed', 'Change submodules in your own checkout.')
    if (!['100644', '100755', '120000'].includes(newMode)) refuse(path, `has the mode ${newMode} (was ${oldMode})`)
  }
  if (present.length === 0) return
  const sizes = await git.run(place, ['cat-file', '--batch-check=%(objecttype) %(objectsize)', '--buffer'], {
    input: present.map(({ newHash }) => `${newHash}\n`).join(''),
  })
  let bytes = 0
  for (const [index, line] of sizes.stdout.toString('latin1').trimEnd().split('\n').entries()) {
    const [type, size] = line.split(' ')
    const path = present[index]?.path ?? '.'
    bytes += Number(size)
    if (type !== 'blob') refuse(path, 'is not a file')
    if (!(Number(size) <= read.limits.fileBytes)) refuse(path, `is larger than ${read.limits.fileBytes} bytes`)
    if (bytes > read.limits.totalBytes) refuse(path, `the changed files are larger than ${read.limits.totalBytes} bytes together`)
  }
  for (const { path, newHash } of present.filter(({ newMode }) => newMode === '120000')) {
    checkLink(path, (await git.run(place, ['cat-file', 'blob', newHash])).stdout.toString('utf8'))
  }
  if (added.length === 0) return
  const names = (commit: string): Promise<readonly string[]> =>
    git.fields(place, ['ls-tree', '-r', '-z', '--name-only', '--end-of-options', commit])
  const [tree, base] = await Promise.all([names(read.tree), names(read.base)])
  checkEmbedded(added, tree)
  checkCollisions(added, tree, base)
}
