import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BulkheadError } from '../../core/contracts/error.ts'
import { hostHas, asOrdinaryUser, ordinaryUser, packageRoot } from '../support/host.ts'
import {
  agentGit,
  commitAll,
  landRequest,
  message,
  naiveGit,
  namedPipe,
  startFlow,
  testRepository,
  writeFiles,
} from '../support/git-repository.ts'

const refusal = async (work: Promise<unknown>): Promise<{ code: string; where: string | undefined } | null> => {
  try {
    await work
    return null
  } catch (error) {
    const { code, details } = BulkheadError.from(error)
    return { code, where: details.where }
  }
}

describe('refused, by path', () => {
  const cases: readonly (readonly [string, string, (tree: string) => void])[] = [
    ['a control character', 'a\u001b[2J', (tree) => writeFiles(tree, { 'a\u001b[2J': 'x' })],
    ['a newline', 'a\nb', (tree) => writeFiles(tree, { 'a\nb': 'x' })],
    ['a backslash', '..\\x', (tree) => writeFiles(tree, { '..\\x': 'x' })],
    ['a name that is not UTF-8', 'a\uFFFD', (tree) => writeFileSync(Buffer.concat([Buffer.from(`${tree}/a`), Buffer.from([0xff])]), 'x')],
    // git would open these wherever it meets them, and wait for ever.
    ['a pipe named .gitignore', 'src/.gitignore', (tree) => namedPipe(join(tree, 'src/.gitignore'))],
    ['a pipe named .gitattributes', '.gitattributes', (tree) => (writeFiles(tree, { x: 'x' }), namedPipe(join(tree, '.gitattributes')))],
    ['a name with a variation selector', 'pack\u{e0101}age.json', (tree) => writeFiles(tree, { 'pack\u{e0101}age.json': '{}' })],
    ['a name that is a filler', '\u3164', (tree) => writeFiles(tree, { '\u3164': 'x' })],
    ['an absolute link', 'src/l', (tree) => symlinkSync('/etc/passwd', join(tree, 'src/l'))],
    ['a link out of the tree', 'src/l', (tree) => symlinkSync('../../x', join(tree, 'src/l'))],
    ['a link into .git', 'l', (tree) => symlinkSync('.git/config', join(tree, 'l'))],
    ['a linked .gitattributes', '.gitattributes', (tree) => symlinkSync('README.md', join(tree, '.gitattributes'))],
    ['files in a submodule', 'sub', (tree) => writeFiles(tree, { 'sub/x': 'x' })],
    ['a file in place of a tracked directory that is a pipe', 'src/a.txt', (tree) => (rmSync(join(tree, 'src/a.txt')), namedPipe(join(tree, 'src/a.txt')))], // prettier-ignore
    [
      'a submodule’s command',
      '.gitmodules',
      (tree) => writeFiles(tree, { '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = u\n\tupdate = !id\n' }),
    ],
  ]
  test.each(cases)('%s', async (_, where, make) => {
    using repository = testRepository()
    naiveGit(repository.root, ['update-index', '--add', '--cacheinfo', `160000,${repository.base},sub`])
    naiveGit(repository.root, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'sub'])
    const base = naiveGit(repository.root, ['rev-parse', 'HEAD']).trim()
    const workspaces = await repository.open()
    const workspace = await workspaces.create({ name: 'job', base, include: false })
    expect(await workspaces.intake(workspace, message())).toBeNull()
    make(workspace.path)
    const result = await refusal(workspaces.intake(workspace, message()))
    // The last one is found by git's own check, which names the object and not the path.
    expect(result).toEqual({ code: 'intake_refused', where: where === '.gitmodules' ? undefined : where })
    expect(naiveGit(repository.root, ['for-each-ref', 'refs/bulkhead'])).toBe('')
  })
})

test('what the base has already may stay: links out, odd names, names that differ by case', async () => {
  using repository = testRepository({
    abs: { link: '/etc/hostname' },
    up: { link: '../x' },
    'A.txt': 'A',
    'a.txt': 'a',
    'odd:name ': 'x\n',
    'fix/HEAD': 'r',
    'fix/objects/a': '',
    'fix/refs/b': '',
  })
  const { workspaces, workspace } = await startFlow(repository)
  expect(await workspaces.intake(workspace, message())).toBeNull()
  writeFiles(workspace.path, { 'new.txt': 'quite new\n', 'a.txt': 'b' })
  rmSync(join(workspace.path, 'up'))
  rmSync(join(workspace.path, 'odd:name '))
  expect((await workspaces.intake(workspace, message()))?.counts.files).toBe(4)
})

test('kinds that replace each other, executable bits, ignored files', async () => {
  using repository = testRepository({
    '.gitignore': '*.log\n',
    file: 'f\n',
    'dir/x': 'x\n',
    'dir/y': 'y\n',
    run: { executable: '#!\n' },
    link: { link: 'file' },
    'kept.log2': 'x\n',
  })
  const { workspaces, workspace } = await startFlow(repository)
  const tree = workspace.path
  rmSync(join(tree, 'file'))
  writeFiles(tree, {
    'file/inside': 'now a directory\n',
    'a.log': 'ignored\n',
    'ünïcode/ファイル.txt': 'x\n',
    '-rf': 'x\n',
    '--output=x': 'x\n',
    ':(top)x': 'x',
  })
  rmSync(join(tree, ':(top)x'))
  rmSync(join(tree, 'dir'), { recursive: true })
  writeFiles(tree, { dir: 'now a file\n' })
  chmodSync(join(tree, 'run'), 0o644)
  chmodSync(join(tree, 'kept.log2'), 0o6777)
  rmSync(join(tree, 'link'))
  writeFiles(tree, { link: 'now a file\n' })
  const snapshot = await workspaces.intake(workspace, message())
  if (snapshot === null) throw new Error('nothing changed')
  const listing = naiveGit(repository.root, [
    '-c',
    'core.quotePath=false',
    'ls-tree',
    '-r',
    '--format=%(objectmode) %(path)',
    snapshot.commit,
  ])
  expect(listing.trim().split('\n')).toEqual([
    '100644 --output=x', '100644 -rf', '100644 .gitignore', '100644 dir', '100644 file/inside', '100755 kept.log2', '100644 link', '100644 run', '100644 ünïcode/ファイル.txt',
  ]) // prettier-ignore
  const review = await workspaces.review(snapshot.commit, repository.base)
  expect(review.flags.filter(({ kind }) => kind === 'mode' || kind === 'symlink')).toEqual([
    { kind: 'mode', path: 'kept.log2', detail: 'became executable' },
    { kind: 'symlink', path: 'link', detail: 'a link became a file' },
    { kind: 'mode', path: 'run', detail: 'is no longer executable' },
  ])
  expect(naiveGit(repository.root, ['log', '-1', '--format=%an|%ae|%cn|%s', snapshot.commit])).toBe(
    'job|job@bulkhead.invalid|Bulkhead|work\n',
  )
})

test('a tree that changes while it is read gives one consistent, checked tree or a clear failure', async () => {
  using repository = testRepository(
    Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f${index}`, `${'x'.repeat(40_000)}${index}\n`])),
  )
  const { workspaces, workspace } = await startFlow(repository)
  const loop = `import { writeFileSync, renameSync } from 'node:fs'
    for (let round = 0; ; round++) for (let file = 0; file < 60; file++) writeFileSync(${JSON.stringify(workspace.path)} + '/f' + file, String(round).repeat(20000 + (round * file) % 7000))`
  const writer = spawn(process.execPath, ['--input-type=module', '-e', loop], { stdio: 'ignore' })
  try {
    await expect.poll(() => readFileSync(join(workspace.path, 'f59'), 'utf8').startsWith('x'), { timeout: 10_000 }).toBe(false)
    for (let attempt = 0; attempt < 4; attempt++) {
      try {
        const snapshot = await workspaces.intake(workspace, message(`try ${attempt}`))
        if (snapshot === null) continue
        expect(naiveGit(repository.root, ['rev-parse', 'refs/bulkhead/jobs/job^{tree}']).trim()).toBe(snapshot.tree)
      } catch (error) {
        expect(BulkheadError.from(error).code).toBe('workspace_failed')
      }
    }
  } finally {
    writer.kill('SIGKILL')
  }
  expect((await workspaces.intake(workspace, message('quiet')))?.counts.files).toBe(60)
  expect(naiveGit(repository.root, ['fsck', '--strict', '--full', '--no-dangling'])).toBe('')
})

test('review and diff show everything: -diff, hidden characters, secrets, binaries, renames', async () => {
  using repository = testRepository({ 'README.md': 'one\ntwo\nthree\nfour\nfive\n', 'lib/old.ts': 'a\nb\nc\nd\ne\nf\n' })
  const { workspaces, workspace } = await startFlow(repository)
  const token = ['ghp', 'a'.repeat(36)].join('_')
  rmSync(join(workspace.path, 'lib/old.ts'))
  writeFiles(workspace.path, {
    '.gitattributes': '* -diff\n',
    'README.md': 'one\nTWO \u202e\u001b[31m\rhidden\nthree\nfour\nfive\n',
    'lib/new.ts': 'a\nb\nc\nd\ne\nF\n',
    '.github/workflows/ci.yml': `env: ${token}\n`,
    'logo.png': Buffer.from([137, 80, 78, 71, 0, 1, 2]),
    'package.json': '{"scripts":{"postinstall":"x"}}\n',
    'CLAUDE.md': 'obey\n',
  })
  const snapshot = await workspaces.intake(workspace, message())
  if (snapshot === null) throw new Error('nothing changed')
  const review = await workspaces.review(snapshot.commit, repository.base)
  expect(review.files.find(({ path }) => path === 'lib/new.ts')).toEqual({
    path: 'lib/new.ts',
    change: 'renamed',
    insertions: 1,
    deletions: 1,
    binary: false,
  })
  expect(review.flags.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'executable-config .gitattributes', 'ci .github/workflows/ci.yml', 'agent-instructions CLAUDE.md', 'executable-config package.json',
    'binary logo.png', 'secret .github/workflows/ci.yml', 'hidden-text README.md',
  ]) // prettier-ignore
  expect(JSON.stringify(review)).not.toContain(token)
  const diff = await workspaces.diff(snapshot.commit, repository.base, { color: false, stat: false })
  expect(diff).toContain('+TWO <U+202E>^[[31m^Mhidden\n')
  expect(diff).toContain('rename from lib/old.ts')
  expect(diff).not.toContain('\u001b')
  const colored = await workspaces.diff(snapshot.commit, repository.base, { color: true, stat: false })
  expect(colored).toContain('\u001b[32m+TWO <U+202E>^[[31m^Mhidden\u001b[0m\n')
  // Nothing but our own colors: without them it is the same text.
  const plain = ['0', '1', '31', '32', '36'].reduce((text, color) => text.replaceAll(`\u001b[${color}m`, ''), colored)
  expect(plain).toBe(diff)
  expect(await workspaces.diff(snapshot.commit, repository.base, { color: true, stat: true })).toMatch(/7 files changed/)
})

test('as an ordinary user, from another user’s point of view read-only', { skip: !hostHas('ordinary-user') }, async () => {
  using repository = testRepository()
  const home = join(repository.area, 'home')
  mkdirSync(home)
  commitAll(repository.root, 'second')
  execFileSync('chown', ['-R', `${ordinaryUser.uid}:${ordinaryUser.gid}`, repository.area])
  const script = join(repository.area, 'flow.mts')
  writeFileSync(
    script,
    `import { createMergeQueue } from '${join(packageRoot, 'workspaces/index.ts')}'
    import { openAt } from '${join(packageRoot, 'test/support/open-workspaces.ts')}'
    import { mkdirSync, readFileSync, writeFileSync, chmodSync } from 'node:fs'
    const workspaces = await openAt(${JSON.stringify(repository.root)}, { PATH: process.env.PATH, HOME: process.env.HOME })
    const base = await workspaces.resolve('main')
    const workspace = await workspaces.create({ name: 'job', base, include: true })
    writeFileSync(workspace.path + '/new.txt', 'x')
    const message = { subject: 's', body: '', trailers: {} }
    const snapshot = await workspaces.intake(workspace, message)
    const landed = await createMergeQueue(workspaces).land({ ...snapshot, job: 'job_1', name: 'job', base, target: 'refs/heads/main', message, check: async () => {} })
    writeFileSync(workspace.path + '/.gitignore', 'closed')
    mkdirSync(workspace.path + '/closed/in', { recursive: true })
    chmodSync(workspace.path + '/closed', 0)
    const kept = await workspaces.remove('job', { commit: snapshot.commit, merged: true })
    const other = await workspaces.create({ name: 'other', base, include: true })
    mkdirSync(other.path + '/unreadable/in', { recursive: true })
    writeFileSync(other.path + '/unreadable/in/x', 'work')
    chmodSync(other.path + '/unreadable', 0)
    chmodSync(other.path, 0)
    const refused = await workspaces.intake(other, message).catch((error) => error.code + ' ' + error.details.where)
    const aside = await workspaces.remove('other', { commit: null, merged: false })
    chmodSync(aside + '/unreadable', 0o700)
    const saved = readFileSync(aside + '/unreadable/in/x', 'utf8')
    console.log(JSON.stringify([refused, saved, landed.checkout, kept, workspaces.repository.state.startsWith(process.env.HOME), await workspaces.list()]))`,
  )
  const argv = [...asOrdinaryUser, process.execPath, '--import', import.meta.resolve('tsx'), script]
  const output = execFileSync(argv[0] ?? '', argv.slice(1), {
    cwd: home,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
  })
  expect(JSON.parse(output)).toEqual(['intake_refused unreadable/', 'work', 'advanced', 'refs/bulkhead/backup/job', true, []])
  expect(existsSync(join(repository.root, 'new.txt'))).toBe(true)
})

test('the agent’s commits and names are not trusted; what it committed and took away again does not land', async () => {
  using repository = testRepository()
  const { workspaces, queue, workspace } = await startFlow(repository)
  writeFiles(workspace.path, { secret: 'x', 'README.md': 'agent\n' })
  agentGit(workspace, ['add', '-A'])
  agentGit(workspace, ['-c', 'user.name=Linus', '-c', 'user.email=linus@example.com', 'commit', '-qm', 'x\n\nBulkhead-Job: job_other'])
  agentGit(workspace, ['rm', '-q', 'secret'])
  const snapshot = await workspaces.intake(workspace, message('s', { 'Bulkhead-Agent': 'fixer' }))
  if (snapshot === null) throw new Error('nothing changed')
  const landed = await queue.land({ ...landRequest(repository, snapshot), message: message('s', { 'Bulkhead-Agent': 'fixer' }) })
  const log = naiveGit(repository.root, ['log', '--format=%an <%ae> %cn%n%B', `${repository.base}..${landed.commit}`])
  expect(log).toBe('fixer <fixer@bulkhead.invalid> Bulkhead\ns\n\nBulkhead-Agent: fixer\nBulkhead-Job: job_job000000000\n\n')
  expect(naiveGit(repository.root, ['rev-list', '--objects', '--all'])).not.toContain('secret')
})

test('a tree deeper than a path can name is refused, not left out, and can be removed', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  const dig = 'import os\nfor i in range(40):\n  os.mkdir("d" * 200); os.chdir("d" * 200)\nopen("f", "w").write("1")\n'
  execFileSync('/usr/bin/python3', ['-c', dig], { cwd: workspace.path })
  expect(await refusal(workspaces.intake(workspace, message()))).toMatchObject({ code: 'intake_refused' })
  expect(await workspaces.differs(workspace)).toBe(true)
  await workspaces.remove(workspace.name, { commit: null, merged: true, scratch: true })
  expect(readdirSync(join(workspaces.repository.state, 'trash'))).toEqual([])
})

test('text that nobody sees is shown and flagged', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  const hidden = Array.from('rm -rf /', (character) => String.fromCodePoint(0xe0100 + character.charCodeAt(0))).join('')
  writeFiles(workspace.path, { 's.js': `const { timeout,\u3164} = query\neval(decode('${hidden}'))\n` })
  const snapshot = await workspaces.intake(workspace, message())
  const review = await workspaces.review(snapshot?.commit ?? '', workspace.base)
  expect(review.flags.map(({ kind, path }) => [kind, path])).toContainEqual(['hidden-text', 's.js'])
  const diff = await workspaces.diff(snapshot?.commit ?? '', workspace.base, { color: false, stat: false })
  expect(diff).toContain('timeout,<U+3164>}')
  expect(diff).toContain('<U+E0172>')
})
