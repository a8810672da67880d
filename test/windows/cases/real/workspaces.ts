/** The git side where Windows is different: spellings of paths, long paths, the programs found, what has no mode bits, what is left behind. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { BulkheadError, type ChangeCounts } from '../../../../core/contracts/index.ts'
import { processIdentity } from '../../../../native/index.ts'
import { findGit } from '../../../../workspaces/git-binary.ts'
import { createMergeQueue } from '../../../../workspaces/index.ts'
import { agentGit, landRequest, message, naiveGit, startFlow, testRepository, writeFiles } from '../../../support/git-repository.ts'
import { openAt } from '../../../support/open-workspaces.ts'

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'ok'
  } catch (error) {
    return BulkheadError.from(error).code
  }
}

test('what git reads has forward slashes, and git finds its way with it', async () => {
  using repository = testRepository()
  const { workspace } = await startFlow(repository)
  const pointer = readFileSync(join(repository.root, '.git/worktrees/job/gitdir'), 'utf8')
  const alternates = readFileSync(join(workspace.gitDirectory ?? '', 'objects/info/alternates'), 'utf8')
  assert.match(pointer, /^[A-Z]:\/[^\\]*\/tree\/\.git\n$/)
  assert.match(alternates, /^[A-Z]:\/[^\\]*\/\.git\/objects\n$/)
  assert.match(naiveGit(repository.root, ['worktree', 'list', '--porcelain']), /^worktree [A-Z]:\/.*\/tree$/m)
  assert.equal(agentGit(workspace, ['log', '--format=%s']), 'first\n')
})

test('one repository, however its directory is written', async () => {
  using repository = testRepository()
  const { repository: facts } = await repository.open()
  for (const spelling of [
    repository.root.toUpperCase(),
    repository.root.replaceAll('\\', '/'),
    join(repository.root, 'SRC'),
    `\\\\?\\${repository.root}`,
  ]) {
    const other = await openAt(spelling, repository.environment)
    assert.deepEqual([other.repository.state, other.repository.root], [facts.state, facts.root], spelling)
  }
})

test('the state may not lie inside the repository, in whatever case that is written', async () => {
  using repository = testRepository()
  const environment = { ...repository.environment, BULKHEAD_STATE: join(repository.root.toUpperCase(), 'STATE') }
  assert.equal(await codeOf(openAt(repository.root, environment)), 'usage_invalid')
})

describe('git', () => {
  const real = dirname(
    (process.env['PATH'] ?? '')
      .split(';')
      .map((folder) => join(folder, 'git.exe'))
      .find(existsSync) ?? '',
  )

  test('is not taken from a relative folder of PATH, and quotes around one are no part of its name', async () => {
    assert.equal(await codeOf(findGit(`.;;bin;\\windows`)), 'host_tool_missing')
    const { path, version } = await findGit(`.;"${real}"`)
    assert.equal(path.toLowerCase(), join(real, 'git.exe').toLowerCase())
    assert.match(version, /^2\./)
  })

  test('behind the starter of Git for Windows is what is started: ending the starter would not end git', async () => {
    using repository = testRepository()
    const installed = join(repository.area, 'Git')
    cpSync(real, join(installed, 'mingw64', 'bin'), { recursive: true })
    writeFiles(installed, { 'cmd/git.exe': 'not a program', 'bin/git.exe': 'not a program' })
    for (const folder of ['cmd', 'CMD', 'bin', 'mingw64\\bin']) {
      const { path } = await findGit(join(installed, folder))
      assert.equal(path, join(installed, 'mingw64', 'bin', 'git.exe'), folder)
    }
  })
})

test('paths longer than 260 characters are checked out, taken in, landed and deleted', async () => {
  const deep = Array.from({ length: 12 }, (_, level) => `${level}${'d'.repeat(29)}`).join('/')
  using repository = testRepository({ 'a.txt': 'a\n' })
  const { workspaces, queue, workspace } = await startFlow(repository)
  writeFiles(workspace.path, { [`${deep}/new.txt`]: 'deep\n' })
  const snapshot = await workspaces.intake(workspace, message())
  assert.deepEqual(snapshot?.counts, { files: 1, insertions: 1, deletions: 0 })
  assert.equal((await queue.land(landRequest(repository, snapshot))).checkout, 'advanced')
  assert.equal(readFileSync(join(repository.root, deep, 'new.txt'), 'utf8'), 'deep\n')
  const second = await workspaces.create({ name: 'second', base: await workspaces.resolve('main'), include: false })
  assert.equal(readFileSync(join(second.path, deep, 'new.txt'), 'utf8'), 'deep\n')
  await workspaces.remove('second', { commit: null, merged: true })
  assert.equal(existsSync(second.path), false)
})

test('the executable bit of the base stays, a new file has none, and line ends are the agent’s own', async () => {
  using repository = testRepository({ 'run.sh': '#!/bin/sh\n', 'dos.bat': 'a\r\nb\r\n' })
  naiveGit(repository.root, ['update-index', '--chmod=+x', 'run.sh'])
  naiveGit(repository.root, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'bit'])
  const workspaces = await repository.open()
  const workspace = await workspaces.create({ name: 'job', base: await workspaces.resolve('main'), include: false })
  assert.equal(agentGit(workspace, ['status', '--porcelain']), '')
  assert.equal(await workspaces.intake(workspace, message()), null)
  writeFiles(workspace.path, { 'run.sh': '#!/bin/sh\necho\n', 'new.sh': '#!/bin/sh\n', 'mixed.txt': 'a\r\nb\n', 'dos.bat': 'a\r\nc\r\n' })
  const snapshot = await workspaces.intake(workspace, message())
  const listed = naiveGit(repository.root, ['ls-tree', snapshot?.commit ?? '']).split('\n')
  assert.deepEqual(
    listed.map((line) => [line.slice(0, 6), line.split('\t')[1]]).filter(([, name]) => name?.endsWith('.sh')),
    [
      ['100644', 'new.sh'],
      ['100755', 'run.sh'],
    ],
  )
  assert.equal(naiveGit(repository.root, ['show', `${snapshot?.commit}:mixed.txt`]), 'a\r\nb\n')
  const review = await workspaces.review(snapshot?.commit ?? '', workspace.base)
  assert.deepEqual(
    review.files.map(({ path, insertions, deletions }) => [path, insertions, deletions]),
    [
      ['dos.bat', 1, 1],
      ['mixed.txt', 2, 0],
      ['new.sh', 1, 0],
      ['run.sh', 1, 0],
    ],
  )
})

test('what Windows takes for .git or for another name never comes in', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  for (const name of ['.GIT/config', 'git~1/config', 'x::$INDEX_ALLOCATION', 'a.txt:stream', 'trailing.']) {
    const file = join(workspace.path, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'x')
    const outcome = await codeOf(workspaces.intake(workspace, message()))
    const landed = naiveGit(repository.root, ['for-each-ref', 'refs/bulkhead/jobs'])
    // Wine makes a plain file of some; Windows a stream, or the name without its end. Git leaves out what it takes for its own.
    assert.ok(outcome === 'intake_refused' || (outcome === 'ok' && landed === ''), `${name}: ${outcome}, ${landed}`)
    rmSync(file, { force: true })
  }
})

test('.worktreeinclude copies what is matched and ignored, and it never lands', async () => {
  using repository = testRepository({ '.gitignore': '.env\n*.key\n', 'a.txt': 'a\n' })
  writeFiles(repository.root, {
    '.worktreeinclude': '.env\nconf/*.key\nnew.txt\n',
    '.env': 'TOKEN=1\n',
    'conf/my.key': 'k',
    'new.txt': 'n',
  })
  const workspaces = await repository.open()
  const workspace = await workspaces.create({ name: 'job', base: repository.base, include: true })
  assert.deepEqual(readdirSync(workspace.path).toSorted(), ['.env', '.git', '.gitignore', 'a.txt', 'conf'])
  assert.equal(agentGit(workspace, ['status', '--porcelain']), '')
  writeFiles(workspace.path, { '.gitignore': '*.key\n' })
  assert.equal(await codeOf(workspaces.intake(workspace, message())), 'intake_refused')
})

test('what a dead process left is undone, what a living one makes is not', async () => {
  using repository = testRepository()
  const workspaces = await repository.open()
  const making = join(workspaces.repository.state, 'making')
  const { pid, startTime } = processIdentity(process.pid)
  // Our own process id in an earlier life, and a process id that nobody has.
  const dead = [`dead+${pid}+${BigInt(startTime) - 1n}+aa`, `gone+2147483644+${startTime}+bb`]
  for (const name of [...dead, `alive+${pid}+${startTime}+cc`]) writeFiles(making, { [`${name}/tree/readonly`]: 'x' })
  for (const name of dead) writeFiles(join(repository.root, '.git'), { [`bulkhead-${name}/HEAD`]: repository.base })
  writeFiles(workspaces.repository.state, { 'trash/x/y': 'z' })
  assert.deepEqual(await workspaces.recover(), ["undid the half-made workspace 'dead'", "undid the half-made workspace 'gone'"])
  assert.deepEqual(readdirSync(making), [`alive+${pid}+${startTime}+cc`])
  assert.deepEqual(
    readdirSync(join(repository.root, '.git')).filter((name) => name.startsWith('bulkhead')),
    [],
  )
  assert.deepEqual(readdirSync(join(workspaces.repository.state, 'trash')), [])
})

test('a checkout that a dead process did not advance follows', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  writeFiles(workspace.path, { 'README.md': 'agent\n' })
  const snapshot = await workspaces.intake(workspace, message())
  if (snapshot === null) throw new Error('nothing changed')
  // As after a death between moving the branch and moving the files: lock, marker and copy are there.
  const queue = createMergeQueue(workspaces)
  const to = naiveGit(repository.root, [
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@b',
    'commit-tree',
    snapshot.tree,
    '-p',
    repository.base,
    '-m',
    'x',
  ]).trim()
  naiveGit(repository.root, ['update-ref', 'refs/heads/main', to])
  const gitDirectory = join(repository.root, '.git')
  const marker = {
    gitDirectory,
    workTree: repository.root,
    process: { pid: process.pid, startTime: '1' },
    target: 'refs/heads/main',
    from: repository.base,
    to,
  }
  writeFiles(workspaces.repository.state, { 'checkouts/aa.json': JSON.stringify(marker) })
  writeFileSync(join(gitDirectory, 'index.lock'), '')
  const [line] = await workspaces.recover()
  assert.match(line ?? '', /^moved the checkout .*project to [0-9a-f]{12}, which had landed$/)
  assert.equal(readFileSync(join(repository.root, 'README.md'), 'utf8'), 'agent\n')
  assert.equal(naiveGit(repository.root, ['status', '--porcelain']), '')
  assert.equal((await queue.land(landRequest(repository, snapshot))).already, true)
})

test('changes are seen while an agent works, also in directories that are new', async () => {
  using repository = testRepository({ '.gitignore': 'out/\n', 'README.md': 'one\ntwo\n', 'src/a.txt': 'a\n' })
  const { workspaces, workspace } = await startFlow(repository)
  const seen: ChangeCounts[] = []
  await using _ = await workspaces.watch(workspace, (counts) => seen.push(counts))
  const soon = async (wanted: ChangeCounts): Promise<void> => {
    // Counting waits ten times as long as it took, and in Wine it takes long.
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if (JSON.stringify(seen.at(-1)) === JSON.stringify(wanted)) return
    }
    assert.deepEqual(seen.at(-1), wanted)
  }
  await soon({ files: 0, insertions: 0, deletions: 0 })
  writeFiles(workspace.path, { 'README.md': 'one\n2\n', 'new/deep/b.txt': 'x\ny\n', 'out/z': 'z' })
  await soon({ files: 2, insertions: 3, deletions: 1 })
  writeFiles(workspace.path, { 'new/deep/b.txt': 'x\ny\nz\n' })
  await soon({ files: 2, insertions: 4, deletions: 1 })
})

test('a workspace that is in use is not taken apart, and can be removed afterwards', async (context) => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    cwd: workspace.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  const outcome = await codeOf(workspaces.remove('job', { commit: null, merged: true }))
  child.kill()
  await ended
  context.diagnostic(`removing it while it is in use: ${outcome}`)
  // Whether a directory can be moved under a program is Wine's own; either way it is there as a whole or not at all.
  if (outcome === 'workspace_failed') {
    assert.ok(await workspaces.open('job'))
    assert.equal(await workspaces.remove('job', { commit: null, merged: true }), null)
  } else assert.equal(outcome, 'ok')
  assert.equal(existsSync(workspace.path), false)
  assert.deepEqual(await workspaces.list(), [])
  assert.equal(naiveGit(repository.root, ['worktree', 'list', '--porcelain']).match(/^worktree /gm)?.length, 1)
})

test('a new modification time alone is no change', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  const file = join(workspace.path, 'README.md')
  const { size } = statSync(file)
  utimesSync(file, new Date(), new Date())
  assert.equal(statSync(file).size, size)
  assert.equal(await workspaces.intake(workspace, message()), null)
  assert.equal(basename(workspace.path), 'tree')
})
