import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasUnixFiles, move } from './filesystem.ts'
import type { Place } from './git.ts'
import { alternatesFile } from './object-stores.ts'
import type { Repository } from './repository.ts'

/**
 * A repository of Bulkhead's own: its configuration holds nothing but the format, so there is no filter, driver, hook, alias or remote
 * for agent-written attributes to name. It reads the user's history through alternates and has no refs.
 *
 * Written file by file: `git init` would copy templates. Layout: gitrepository-layout(5).
 */
export function makePrivateRepository(directory: string, repository: Repository): void {
  if (existsSync(directory)) return
  const temporary = `${directory}.${randomBytes(6).toString('hex')}`
  writeRepository(temporary, repository, { head: 'ref: refs/heads/none\n', config: '' })
  try {
    move(temporary, directory)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    if (!existsSync(directory)) throw error
  }
}

export function writeRepository(
  directory: string,
  repository: Repository,
  content: { readonly head: string; readonly config: string },
): void {
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info']) {
    mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 })
  }
  const sha256 = repository.objectFormat !== 'sha1'
  // Without them git keeps the executable bit and the kind of a link as the base has them.
  const files = `filemode = ${hasUnixFiles}\n\tsymlinks = ${hasUnixFiles}\n\tautocrlf = false\n\tlongpaths = true\n`
  const format = `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\t${files}`
  const extensions = sha256 ? `[extensions]\n\tobjectformat = ${repository.objectFormat}\n` : ''
  writeFileSync(join(directory, 'config'), format + content.config + extensions)
  writeFileSync(join(directory, 'objects/info/alternates'), alternatesFile(repository.objectStores))
  writeFileSync(join(directory, 'HEAD'), content.head)
}

/** How to run git in a private repository of `repository`. */
export function privatePlace(directory: string, repository: Repository, more: Omit<Place, 'gitDirectory'> = {}): Place {
  return {
    gitDirectory: directory,
    shallow: join(repository.gitDirectory, 'shallow'),
    index: join(directory, 'no-index'),
    ...more,
  }
}
