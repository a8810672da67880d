import { chmodSync, constants, copyFileSync, existsSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BulkheadError } from '../core/contracts/error.ts'
import { canonicalPath } from './filesystem.ts'
import type { Git } from './git.ts'
import type { Repository } from './repository.ts'
import { visibleLine } from './visible.ts'

const maximumFiles = 10_000
const maximumBytes = 512 * 1024 * 1024

/**
 * Copies the files that `.worktreeinclude` (gitignore syntax, in the top directory of the main checkout) matches *and* git ignores: local
 * settings such as `.env`, never something that is tracked or merely new. Returns the copied paths.
 *
 * No link is followed on either side and links are not copied. More than 10,000 files or 512 MiB is refused (`workspace_failed`).
 */
export async function copyIncluded(git: Git, repository: Repository, tree: string): Promise<readonly string[]> {
  const list = join(repository.root, '.worktreeinclude')
  if (!existsSync(list) || !lstatSync(list).isFile()) return []
  const place = { ...repository.place, workTree: repository.root }
  const matched = await git.fields(place, ['ls-files', '-z', '--others', '--ignored', `--exclude-from=${list}`])
  if (matched.length === 0) return []
  // `./` keeps a path that begins with a colon from being read as pathspec magic.
  const input = matched.map((path) => `./${path}\0`).join('')
  const args = ['check-ignore', '-z', '--stdin', '--no-index']
  const ignored = (await git.fields({ ...place, literalPaths: false }, args, { input, exits: [0, 1] })).map((path) => path.slice(2))
  const copied: string[] = []
  let bytes = 0
  for (const path of ignored) {
    const source = join(repository.root, path)
    const stat = lstatSync(source, { throwIfNoEntry: false })
    // A matched directory with a repository of its own is listed with a slash; it is not a file and is left out.
    if (stat === undefined || !stat.isFile() || path.endsWith('/')) continue
    if (canonicalPath(dirname(source)) !== join(repository.root, dirname(path))) continue
    bytes += stat.size
    if (copied.length >= maximumFiles || bytes > maximumBytes) {
      throw new BulkheadError(
        'workspace_failed',
        `.worktreeinclude matches more than ${maximumFiles} files or ${maximumBytes / 1024 ** 2} MiB`,
        {
          where: list,
          remedy: 'Name single files; dependencies belong into the setup command.',
        },
      )
    }
    const target = join(tree, path)
    makeParents(tree, path)
    copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    chmodSync(target, stat.mode & 0o700)
    copied.push(path)
  }
  return copied
}

/** Makes the directories above `path`; one that exists must be a real directory, because the commit may hold a link of that name. */
function makeParents(tree: string, path: string): void {
  let directory = tree
  for (const part of path.split('/').slice(0, -1)) {
    directory = join(directory, part)
    const stat = lstatSync(directory, { throwIfNoEntry: false })
    if (stat === undefined) mkdirSync(directory)
    else if (!stat.isDirectory()) {
      throw new BulkheadError('workspace_failed', `.worktreeinclude: ${visibleLine(path)} would be copied through a link or file`, {
        remedy: 'Take the path out of .worktreeinclude.',
      })
    }
  }
}
