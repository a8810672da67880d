import { existsSync, mkdirSync, writeFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BulkheadError } from '../../core/contracts/error.ts'
import { createMergeQueue } from '../../workspaces/index.ts'
import { findGit } from '../../workspaces/git-binary.ts'
import { Git } from '../../workspaces/git.ts'
import { alternatesFile, objectStoresOf } from '../../workspaces/object-stores.ts'
import { agentGit, commitAll, landRequest, message, naiveGit, testRepository, writeFiles } from '../support/git-repository.ts'
import { openAt } from '../support/open-workspaces.ts'

const failureOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'ok'
  } catch (error) {
    const failure = BulkheadError.from(error)
    return `${failure.code}: ${failure.message}`
  }
}

test('facts from the top, a subdirectory, a linked worktree, and with a bad name', async () => {
  using repository = testRepository()
  const weird = join(repository.area, 'a b\nc "d" ü;$(x)')
  naiveGit(repository.area, ['clone', '-q', repository.root, weird])
  const linked = join(repository.area, 'linked')
  naiveGit(weird, ['worktree', 'add', '-q', '--detach', linked])
  for (const start of [weird, join(weird, 'src'), linked]) {
    const { repository: facts } = await openAt(start, repository.environment)
    expect(facts).toMatchObject({ root: weird, gitDirectory: join(weird, '.git'), head: 'refs/heads/main', bare: false })
    expect(basename(facts.state)).toMatch(/^a_b_c__d______x_-[0-9a-f]{12}$/)
  }
  const workspaces = await openAt(weird, repository.environment)
  const workspace = await workspaces.create({ name: 'job', base: repository.base, include: false })
  expect(agentGit(workspace, ['log', '--format=%s'])).toBe('first\n')
  writeFiles(workspace.path, { 'x "y".txt': 'x' })
  const snapshot = await workspaces.intake(workspace, message())
  if (snapshot === null) throw new Error('nothing changed')
  expect(await createMergeQueue(workspaces).land(landRequest(repository, snapshot))).toMatchObject({ checkout: 'advanced' })
  naiveGit(weird, ['checkout', '-q', '--detach'])
  expect((await openAt(weird, repository.environment)).repository.head).toBeNull()
})

test('bare, separate git directory, submodule, shallow, borrowed objects, SHA-256: a job lands in each', async () => {
  using repository = testRepository()
  const { area, root, environment } = repository
  writeFiles(root, { second: 'x' })
  commitAll(root, 'second')
  naiveGit(area, ['clone', '-q', '--bare', root, 'bare.git'])
  naiveGit(area, ['clone', '-q', '--separate-git-dir', join(area, 'elsewhere'), root, 'separate'])
  naiveGit(area, ['clone', '-q', '--shared', root, 'shared'])
  naiveGit(area, ['clone', '-q', '--depth=1', `file://${root}`, 'shallow'])
  mkdirSync(join(area, 'super'))
  naiveGit(join(area, 'super'), ['init', '-q', '-b', 'main'])
  naiveGit(join(area, 'super'), ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', root, 'sub'])
  commitAll(join(area, 'super'), 'with submodule')
  mkdirSync(join(area, 'sha256'))
  naiveGit(join(area, 'sha256'), ['init', '-q', '-b', 'main', '--object-format=sha256'])
  writeFiles(join(area, 'sha256'), { 'README.md': 'x\n' })
  commitAll(join(area, 'sha256'), 'first')
  const expected: Record<string, object> = {
    'bare.git': { bare: true, root: join(area, 'bare.git'), checkout: 'none', objectFormat: 'sha1' },
    separate: { bare: false, root: join(area, 'separate'), checkout: 'advanced' },
    shared: { bare: false, objectStores: [join(area, 'shared/.git/objects'), join(root, '.git/objects')], checkout: 'advanced' },
    shallow: { bare: false, checkout: 'advanced' },
    'super/sub': { bare: false, root: join(area, 'super/sub'), gitDirectory: join(area, 'super/.git/modules/sub'), checkout: 'advanced' },
    super: { bare: false, checkout: 'advanced' },
    sha256: { bare: false, objectFormat: 'sha256', checkout: 'advanced' },
  }
  for (const [directory, facts] of Object.entries(expected)) {
    const workspaces = await openAt(join(area, directory), environment)
    const base = await workspaces.resolve('main')
    const workspace = await workspaces.create({ name: 'job', base, include: false })
    expect([directory, agentGit(workspace, ['status', '--porcelain'])]).toEqual([directory, ''])
    agentGit(workspace, ['log', '--oneline'])
    writeFiles(workspace.path, { 'new.txt': directory })
    agentGit(workspace, ['add', '-A'])
    agentGit(workspace, ['commit', '-qm', 'x'])
    const snapshot = await workspaces.intake(workspace, message())
    if (snapshot === null) throw new Error('nothing changed')
    const { checkout } = await createMergeQueue(workspaces).land({ ...landRequest(repository, snapshot), base })
    expect({ ...workspaces.repository, checkout }).toMatchObject(facts)
    expect(naiveGit(join(area, directory), ['show', 'main:new.txt'])).toBe(directory)
    expect(naiveGit(join(area, directory), ['fsck', '--no-dangling'])).toBe('')
    expect(await workspaces.remove('job', { commit: snapshot.commit, merged: true })).toBeNull()
  }
})

describe('refused', () => {
  test('no repository, no commit, partial clone, our own state, state inside', async () => {
    using repository = testRepository()
    const { area, root, environment } = repository
    mkdirSync(join(area, 'empty'))
    naiveGit(join(area, 'empty'), ['init', '-q'])
    naiveGit(root, ['config', 'uploadpack.allowFilter', 'true'])
    naiveGit(area, ['clone', '-q', '--filter=blob:none', `file://${root}`, 'partial'])
    const open = (directory: string, more: object = {}): Promise<string> => failureOf(openAt(directory, { ...environment, ...more }))
    expect(await open(area)).toBe(`usage_not_a_repository: ${area} is not in a git repository`)
    expect(await open(join(area, 'nowhere'))).toBe(`usage_not_a_repository: ${join(area, 'nowhere')} is not a directory`)
    expect(await open(join(area, 'empty'))).toBe(`usage_not_a_repository: ${join(area, 'empty')} has no commit yet`)
    expect(await open(join(area, 'partial'))).toBe(`usage_not_a_repository: ${join(area, 'partial')} is a partial clone`)
    expect(await open(root, { BULKHEAD_STATE: 'relative' })).toContain('usage_invalid: BULKHEAD_STATE')
    expect(await open(root, { BULKHEAD_STATE: join(root, 'state') })).toContain('lies inside the repository')
    expect(await open(root, { PATH: '' })).toBe('host_tool_missing: git was not found on PATH')
    const workspaces = await openAt(root, environment)
    const workspace = await workspaces.create({ name: 'job', base: repository.base, include: false })
    expect(await open(workspace.path)).toContain('is inside Bulkhead’s own state')
  })

  test('an old git; a git in the working directory is not taken', async () => {
    using repository = testRepository()
    writeFiles(repository.area, {
      'old/git': { executable: '#!/bin/sh\necho git version 2.37.9\n' },
      'evil/git': { executable: '#!/bin/sh\nexit 9\n' },
    })
    expect(await failureOf(findGit(join(repository.area, 'old')))).toContain('host_tool_missing: git 2.37.9 is too old')
    expect((await findGit(`:.:${process.env['PATH']}`)).path).toMatch(/^\//)
  })

  test('revisions', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    expect(await workspaces.resolve('main')).toBe(repository.base)
    expect(await workspaces.resolve('HEAD~0')).toBe(repository.base)
    expect(await workspaces.resolve(repository.base.slice(0, 8))).toBe(repository.base)
    for (const revision of ['none', '--all', '-h', 'main..HEAD', 'HEAD^{tree}', '', 'main\n', ':README.md']) {
      expect(await failureOf(workspaces.resolve(revision))).toContain('usage_invalid')
    }
  })
})

test('the wrapper looks at exit codes, keeps GIT_* out, limits time and output', async () => {
  using repository = testRepository()
  const binary = await findGit(process.env['PATH'])
  const git = new Git(binary.path, repository.area)
  const place = { gitDirectory: join(repository.root, '.git') }
  // simple-git by itself resolves here: nothing is printed to stderr.
  expect(await failureOf(git.text(place, ['rev-parse', '--verify', '--quiet', 'none']))).toBe(
    'git_failed: git rev-parse failed (exit 1): no message',
  )
  expect(await failureOf(git.run(place, ['cat-file', 'blob', 'x\x1b[2J']))).toBe(
    'git_failed: git cat-file failed (exit 128): fatal: Not a valid object name x?[2J',
  )
  process.env['GIT_DIR'] = '/nonexistent'
  process.env['GIT_CONFIG_PARAMETERS'] = "'core.bare=true'"
  try {
    expect(await git.text(place, ['rev-parse', 'HEAD'])).toBe(`${repository.base}\n`)
    expect((await git.run(place, ['rev-parse', 'HEAD'])).stdout.toString()).toBe(`${repository.base}\n`)
  } finally {
    delete process.env['GIT_DIR']
    delete process.env['GIT_CONFIG_PARAMETERS']
  }
  expect(await failureOf(git.run(place, ['cat-file', '--batch-check', '--batch-all-objects'], { maximumBytes: 10 }))).toContain(
    'printed more than 10 bytes',
  )
  expect(await git.run(place, ['cat-file', '--batch-check', '--batch-all-objects'], { maximumBytes: 10, truncate: true })).toMatchObject({
    cut: true,
  })
  writeFileSync(join(repository.root, '.git/config'), '[core]\n\trepositoryformatversion = 0\n[alias]\n\twait = !sleep 5\n')
  expect(await failureOf(git.run(place, ['wait'], { timeoutMs: 100 }))).toContain('took longer than')
})

test('object stores, as deep and as oddly named as git allows', () => {
  using repository = testRepository()
  const odd = join(repository.area, 'o "q\\\n#')
  const far = join(repository.area, 'far')
  for (const directory of [join(odd, 'info'), join(far, 'info')]) mkdirSync(directory, { recursive: true })
  const objects = join(repository.root, '.git/objects')
  mkdirSync(join(objects, 'info'), { recursive: true })
  writeFileSync(join(objects, 'info/alternates'), `# note\n${alternatesFile([odd])}/nonexistent\n`)
  writeFileSync(join(odd, 'info/alternates'), `../far\n${objects}\n`)
  expect(objectStoresOf(objects)).toEqual([objects, odd, far].map((path) => realpathSync(path)))
  // git reads what we wrote: an object that is only in the oddly named store is found.
  writeFileSync(join(repository.area, 'new'), 'only there')
  const blob = naiveGit(repository.root, ['hash-object', '-w', join(repository.area, 'new')], { GIT_OBJECT_DIRECTORY: odd }).trim()
  expect(existsSync(join(objects, blob.slice(0, 2), blob.slice(2)))).toBe(false)
  expect(naiveGit(repository.root, ['cat-file', 'blob', blob])).toBe('only there')
})
