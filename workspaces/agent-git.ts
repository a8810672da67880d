import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { copyIndex } from './copy-index.ts'
import { writeRepository } from './private-repository.ts'
import { readGitFile, type Repository } from './repository.ts'

/**
 * Builds the git directory that the agent owns. It is self-contained: own configuration, index, refs and objects; history comes from the
 * user's object stores through alternates. It has no `core.worktree`, because it is shown as `<tree>/.git`; where it is not (no filesystem
 * layer) the agent gets GIT_DIR and GIT_WORK_TREE.
 *
 * `index` is the index of the freshly checked out tree. Size and time of the files are right; owner, inode and ctime may look different
 * to the agent (other user id, other mount), so git is told not to compare those: `git status` is clean at once, without reading a file.
 */
export function buildAgentGit(directory: string, options: { repository: Repository; name: string; base: string; index: string }): void {
  const { repository, name, base } = options
  const branch = `refs/heads/bulkhead/${name}`
  const identity = `[user]\n\tname = ${name}\n\temail = ${name}@bulkhead.invalid\n`
  writeRepository(directory, repository, {
    head: `ref: ${branch}\n`,
    config: `\tbare = false\n\tlogallrefupdates = true\n\tcheckStat = minimal\n\ttrustctime = false\n${identity}[gc]\n\tauto = 0\n`,
  })
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  write(branch, `${base}\n`)
  // The user's branch as it was, so that `git diff main` and `git log main..` work.
  if (repository.head !== null && !repository.head.startsWith('refs/heads/bulkhead')) {
    write('packed-refs', `# pack-refs with: peeled fully-peeled sorted \n${base} ${repository.head}\n`)
  }
  write('info/exclude', readGitFile(repository.gitDirectory, 'info/exclude') ?? '')
  const shallow = readGitFile(repository.gitDirectory, 'shallow')
  if (shallow !== undefined) write('shallow', shallow)
  copyIndex(options.index, join(directory, 'index'))
}
