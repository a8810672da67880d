import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BulkheadError } from '../../core/contracts/error.ts'
import { findGit } from '../../workspaces/git-binary.ts'
import { Git } from '../../workspaces/git.ts'
import { findRepository } from '../../workspaces/repository.ts'
import { registerWorktree, removeAdminsOf } from '../../workspaces/worktree-admin.ts'
import { agentGit, commitAll, message, naiveGit, startFlow, testRepository, writeFiles } from '../support/git-repository.ts'
import { workspacesOptions } from '../support/open-workspaces.ts'

const failureOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'ok'
  } catch (error) {
    return BulkheadError.from(error).code
  }
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

test('the agent has all of git', async () => {
  using repository = testRepository()
  writeFiles(repository.root, { 'src/b.txt': 'b\n' })
  writeFileSync(join(repository.root, '.git/info/exclude'), '*.log\n')
  const base = commitAll(repository.root, 'second')
  const workspaces = await repository.open()
  const workspace = await workspaces.create({ name: 'job', base, include: false })
  const git = (...args: string[]): string => agentGit(workspace, args)
  expect(git('status', '--porcelain')).toBe('')
  expect(git('diff', '--stat', 'main')).toBe('')
  expect(git('log', '--format=%s')).toBe('second\nfirst\n')
  expect(git('blame', '-s', 'src/b.txt')).toContain('b')
  writeFiles(workspace.path, { 'src/b.txt': 'bb\n', 'x.log': 'ignored' })
  expect(git('status', '--porcelain')).toBe(' M src/b.txt\n')
  git('stash')
  expect(git('status', '--porcelain')).toBe('')
  git('stash', 'pop')
  git('commit', '-qam', 'one')
  expect(git('log', '-1', '--format=%an <%ae>')).toBe('job <job@bulkhead.invalid>\n')
  git('switch', '-qc', 'topic', 'HEAD~')
  writeFiles(workspace.path, { 'src/c.txt': 'c\n' })
  git('add', '-A')
  git('commit', '-qm', 'two')
  git('rebase', '-q', 'bulkhead/job')
  git('tag', 'v1')
  git('cherry-pick', '--no-commit', 'HEAD')
  git('reset', '-q', '--hard', 'HEAD~')
  git('reflog')
  git('worktree', 'list')
  git('config', 'user.name', 'me')
  git('gc', '-q')
  git('bisect', 'start')
  expect(git('fsck', '--no-dangling')).toBe('')
  expect(naiveGit(repository.root, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n')
  expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
  const snapshot = await workspaces.intake(workspace, message())
  expect(naiveGit(repository.root, ['diff', '--name-only', base, snapshot?.commit ?? ''])).toBe('src/b.txt\n')
})

describe('creation', () => {
  test('a hundred at once from one process and a hundred from four others', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const script = join(repository.area, 'create.mts')
    writeFileSync(
      script,
      `import { openAt } from '${join(import.meta.dirname, '../support/open-workspaces.ts')}'
      const workspaces = await openAt(${JSON.stringify(repository.root)}, ${JSON.stringify(repository.environment)})
      await Promise.all(Array.from({ length: 25 }, (_, index) =>
        workspaces.create({ name: process.argv[2] + '-' + index, base: ${JSON.stringify(repository.base)}, include: false })))`,
    )
    const others = ['p0', 'p1', 'p2', 'p3'].map(
      (prefix) =>
        new Promise((resolve) => {
          spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, prefix], { stdio: 'inherit' }).on('exit', resolve)
        }),
    )
    await Promise.all(names('own', 100).map((name) => workspaces.create({ name, base: repository.base, include: false })))
    expect(await Promise.all(others)).toEqual([0, 0, 0, 0])
    const all = [...names('own', 100), ...['p0', 'p1', 'p2', 'p3'].flatMap((prefix) => names(prefix, 25))].toSorted()
    expect(await workspaces.list()).toEqual(all)
    expect(naiveGit(repository.root, ['worktree', 'list', '--porcelain']).match(/^locked bulkhead workspace \S+$/gm)).toHaveLength(200)
    expect(readdirSync(join(workspaces.repository.state, 'making'))).toEqual([])
    const last = await workspaces.open('p3-24')
    expect(last && agentGit(last, ['status', '--porcelain'])).toBe('')
    naiveGit(repository.root, ['worktree', 'prune'])
    naiveGit(repository.root, ['gc', '-q', '--prune=now'])
    expect(last && agentGit(last, ['status', '--porcelain'])).toBe('')
    // Two processes that want the same name: one gets it, the other fails, and nothing is left of it.
    const twice = await Promise.all([1, 2].map(() => failureOf(workspaces.create({ name: 'same', base: repository.base, include: false }))))
    expect(twice.toSorted()).toEqual(['ok', 'workspace_failed'])
    expect(readdirSync(join(repository.root, '.git/worktrees'))).toHaveLength(201)
  })

  test('a failure in the middle leaves nothing', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const before = naiveGit(repository.root, ['worktree', 'list'])
    const missing = '0123456789'.repeat(4)
    expect(await failureOf(workspaces.create({ name: 'job', base: missing, include: false }))).toBe('workspace_failed')
    writeFiles(repository.root, { '.worktreeinclude': 'link/x\n', '.gitignore': 'link/\n', 'link/x': 'secret' })
    // The commit has a link where the included file would be written.
    const blob = naiveGit(repository.root, ['hash-object', '-w', '--stdin']).trim()
    naiveGit(repository.root, ['update-index', '--add', '--cacheinfo', `120000,${blob},link`])
    const tree = naiveGit(repository.root, ['write-tree']).trim()
    const commit = naiveGit(repository.root, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', '-m', 'x', tree]).trim()
    naiveGit(repository.root, ['rm', '-q', '--cached', 'link'])
    expect(await failureOf(workspaces.create({ name: 'job', base: commit, include: true }))).not.toBe('ok')
    expect(naiveGit(repository.root, ['worktree', 'list'])).toBe(before)
    expect(await workspaces.list()).toEqual([])
    expect(readdirSync(join(workspaces.repository.state, 'making'))).toEqual([])
    expect(readdirSync(join(workspaces.repository.state, 'workspaces'))).toEqual([])
    for (const name of ['.git', '..', '-f', 'a/../../b', 'CON', 'con', 'x.']) {
      expect(await failureOf(workspaces.create({ name, base: repository.base, include: false }))).toBe('usage_invalid')
      expect(await failureOf(workspaces.open(name))).toBe('usage_invalid')
      expect(await failureOf(workspaces.remove(name, { commit: null, merged: true }))).toBe('usage_invalid')
    }
  })

  test('a user’s worktree of the same name, line-end conversion and LFS-like filters do not get in the way', async () => {
    using repository = testRepository({
      '.gitattributes': '*.txt text eol=crlf\n*.bin filter=lfs\n',
      'a.txt': 'a\r\nb\r\n',
      'x.bin': 'pointer\n',
    })
    naiveGit(repository.root, ['config', 'filter.lfs.smudge', 'exit 1'])
    naiveGit(repository.root, ['config', 'filter.lfs.required', 'true'])
    naiveGit(repository.root, ['config', 'core.splitIndex', 'true'])
    naiveGit(repository.root, ['worktree', 'add', '-q', '--no-checkout', '--detach', join(repository.area, 'job')])
    const workspaces = await repository.open()
    const workspace = await workspaces.create({ name: 'job', base: repository.base, include: false })
    expect(readFileSync(join(workspace.path, 'a.txt'), 'latin1')).toBe('a\r\nb\r\n')
    expect(readFileSync(join(workspace.path, 'x.bin'), 'latin1')).toBe('pointer\n')
    expect(agentGit(workspace, ['status', '--porcelain'])).toBe('')
    expect(await workspaces.intake(workspace, message())).toBeNull()
    writeFiles(workspace.path, { 'a.txt': 'a\r\nB\r\n' })
    const snapshot = await workspaces.intake(workspace, message())
    expect(snapshot?.counts).toEqual({ files: 1, insertions: 1, deletions: 1 })
    await workspaces.remove('job', { commit: null, merged: true })
    expect(existsSync(join(repository.root, '.git/worktrees/job'))).toBe(true)
  })

  test('what a dead process left is undone, what a living one makes is not', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const making = join(workspaces.repository.state, 'making')
    const half = join(making, 'dead+1+1+aa')
    mkdirSync(half)
    naiveGit(repository.root, [
      'worktree',
      'add',
      '-q',
      '--lock',
      '--reason',
      'bulkhead workspace dead+1+1+aa',
      '--detach',
      join(half, 'dead'),
    ])
    writeFiles(join(repository.root, '.git'), { 'bulkhead-dead+1+1+aa/HEAD': repository.base })
    mkdirSync(join(making, `alive+${process.pid}+${readFileSync('/proc/self/stat', 'utf8').split(' ')[21]}+bb`))
    writeFiles(workspaces.repository.state, { 'trash/x/y': 'z' })
    chmodSync(join(workspaces.repository.state, 'trash/x'), 0)
    expect(await workspaces.recover()).toEqual(["undid the half-made workspace 'dead'"])
    expect(readdirSync(making)).toHaveLength(1)
    expect(readdirSync(join(repository.root, '.git')).filter((name) => name.startsWith('bulkhead'))).toEqual([])
    expect(readdirSync(join(workspaces.repository.state, 'trash'))).toEqual([])
    expect(naiveGit(repository.root, ['worktree', 'list', '--porcelain']).match(/^worktree /gm)).toHaveLength(1)
    expect(await workspaces.recover()).toEqual([])
  })

  test('where refs are not files, git registers the worktrees; fifty at once', async () => {
    using repository = testRepository()
    const git = new Git((await findGit(process.env['PATH'])).path, repository.area)
    const found = await findRepository(git, workspacesOptions(repository.root, repository.environment))
    expect(found.refFiles).toBe(true)
    const making = join(repository.area, 'making')
    mkdirSync(making)
    const index = join(repository.root, '.git/index')
    const request = (count: number) => ({
      name: `job-${count}`,
      base: repository.base,
      tree: join(repository.area, `${count}`),
      index,
      making,
    })
    const admins = await Promise.all(
      Array.from({ length: 50 }, (_, count) => registerWorktree(git, { ...found, refFiles: false }, request(count))),
    )
    expect(new Set(admins).size).toBe(50)
    expect(naiveGit(repository.root, ['worktree', 'list', '--porcelain']).match(/^locked bulkhead workspace making$/gm)).toHaveLength(50)
    removeAdminsOf(found, making)
    expect(naiveGit(repository.root, ['worktree', 'list', '--porcelain']).match(/^worktree /gm)).toHaveLength(1)
  })

  test('.worktreeinclude: only what is matched and ignored, no links, and it never lands', async () => {
    using repository = testRepository({ '.gitignore': '.env\n*.key\nlinked\n', 'a.txt': 'a\n' })
    const { root } = repository
    writeFiles(root, {
      '.worktreeinclude': '.env\nconf/*.key\nnew.txt\nlinked\n!conf/not.key\n',
      '.env': { executable: 'TOKEN=1\n' },
      'conf/my.key': 'k',
      'conf/not.key': 'n',
      'other.key': 'o',
      'new.txt': 'not ignored',
      linked: { link: '/etc/passwd' },
    })
    chmodSync(join(root, '.env'), 0o600)
    const workspaces = await repository.open()
    const plain = await workspaces.create({ name: 'plain', base: repository.base, include: false })
    expect(readdirSync(plain.path).toSorted()).toEqual(['.git', '.gitignore', 'a.txt'])
    const workspace = await workspaces.create({ name: 'job', base: repository.base, include: true })
    expect(readdirSync(workspace.path).toSorted()).toEqual(['.env', '.git', '.gitignore', 'a.txt', 'conf'])
    expect(readdirSync(join(workspace.path, 'conf'))).toEqual(['my.key'])
    expect(statSync(join(workspace.path, '.env')).mode & 0o777).toBe(0o600)
    expect(agentGit(workspace, ['status', '--porcelain'])).toBe('')
    writeFiles(workspace.path, { '.gitignore': '*.key\n' })
    expect(await failureOf(workspaces.intake(workspace, message()))).toBe('intake_refused')
  })
})

describe('removal', () => {
  test('unmerged work stays as a backup: what was taken in, and what is newer', async () => {
    using repository = testRepository()
    const { workspaces, workspace } = await startFlow(repository)
    writeFiles(workspace.path, { 'a.txt': 'taken\n' })
    const snapshot = await workspaces.intake(workspace, message())
    expect(await workspaces.remove('job', { commit: snapshot?.commit ?? null, merged: false })).toBe('refs/bulkhead/backup/job')
    expect(naiveGit(repository.root, ['show', 'refs/bulkhead/backup/job:a.txt'])).toBe('taken\n')

    const again = await workspaces.create({ name: 'job', base: repository.base, include: false })
    writeFiles(again.path, { 'a.txt': 'never taken in\n' })
    const second = await workspaces.remove('job', { commit: null, merged: false })
    expect(second).toMatch(/^refs\/bulkhead\/backup\/job-[0-9a-f]{12}$/)
    expect(naiveGit(repository.root, ['show', `${second}:a.txt`])).toBe('never taken in\n')
    expect(naiveGit(repository.root, ['show', 'refs/bulkhead/backup/job:a.txt'])).toBe('taken\n')

    const third = await workspaces.create({ name: 'job', base: repository.base, include: false })
    writeFiles(third.path, { 'a.txt': 'merged\n' })
    const merged = await workspaces.intake(third, message())
    writeFiles(third.path, { 'a.txt': 'changed after it was merged\n' })
    const kept = await workspaces.remove('job', { commit: merged?.commit ?? null, merged: true })
    expect(naiveGit(repository.root, ['show', `${kept}:a.txt`])).toBe('changed after it was merged\n')

    const gate = await workspaces.create({ name: 'gate', base: repository.base, include: false })
    writeFiles(gate.path, { 'build/out': 'not work\n' })
    expect(await workspaces.remove('gate', { commit: null, merged: true, scratch: true })).toBeNull()
    expect(existsSync(gate.path)).toBe(false)

    await workspaces.create({ name: 'job', base: repository.base, include: false })
    expect(await workspaces.remove('job', { commit: null, merged: false })).toBeNull()
    expect(await workspaces.remove('job', { commit: null, merged: false })).toBeNull()
    expect(await workspaces.open('job')).toBeUndefined()
    const refs = naiveGit(repository.root, ['for-each-ref', '--format=%(refname)', 'refs/bulkhead']).trim().split('\n')
    expect(refs.every((ref) => ref.startsWith('refs/bulkhead/backup/'))).toBe(true)
  })

  test('a death between moving it away and unregistering it is made good', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const { state } = workspaces.repository
    for (const name of ['gone', 'again']) {
      await workspaces.create({ name, base: repository.base, include: false })
      renameSync(join(state, 'workspaces', name), join(state, 'trash', `${name}+0123456789ab`))
    }
    await workspaces.create({ name: 'again', base: repository.base, include: false })
    expect(await workspaces.recover()).toEqual([])
    expect(readdirSync(join(state, 'trash'))).toEqual([])
    expect(readdirSync(join(repository.root, '.git/worktrees'))).toEqual(['again-1'])
    expect(await workspaces.open('again')).toBeDefined()
  })

  test('follows no link and opens closed directories', async () => {
    using repository = testRepository()
    const { workspaces, workspace } = await startFlow(repository)
    const precious = join(repository.area, 'precious')
    writeFiles(precious, { 'keep.txt': 'keep' })
    writeFiles(workspace.path, { '.gitignore': 'ignored/\n', 'ignored/closed/x': 'x' })
    symlinkSync(precious, join(workspace.path, 'ignored/link'))
    symlinkSync(join(precious, 'keep.txt'), join(workspace.gitDirectory ?? '', 'hooks'))
    chmodSync(join(workspace.path, 'ignored/closed'), 0)
    const snapshot = await workspaces.intake(workspace, message())
    await workspaces.remove('job', { commit: snapshot?.commit ?? null, merged: true })
    expect(readFileSync(join(precious, 'keep.txt'), 'utf8')).toBe('keep')
    expect(existsSync(workspace.path)).toBe(false)
  })

  test('a workspace whose registration is gone or points elsewhere is not used', async () => {
    using repository = testRepository()
    const { workspaces, workspace } = await startFlow(repository)
    writeFileSync(join(repository.root, '.git/worktrees/job/gitdir'), `${repository.area}/other/.git\n`)
    expect(await failureOf(workspaces.open('job'))).toBe('workspace_failed')
    writeFiles(workspace.path, { 'a.txt': 'work\n' })
    const kept = await workspaces.remove('job', { commit: null, merged: false })
    expect(readFileSync(join(kept ?? '', 'a.txt'), 'utf8')).toBe('work\n')
    expect(existsSync(join(repository.root, '.git/worktrees/job'))).toBe(true)
    rmSync(kept ?? '', { recursive: true })
  })
})
