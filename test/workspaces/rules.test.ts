import { describe, expect, test } from 'vitest'
import { authorOf, messageText } from '../../workspaces/message.ts'
import { checkBranch, checkName, checkRevision } from '../../workspaces/names.ts'
import { checkCollisions, checkEmbedded, checkLink, checkPath, isGitName } from '../../workspaces/rules.ts'
import { pathFlags } from '../../workspaces/risk.ts'
import { contentFlags } from '../../workspaces/secrets.ts'
import { visible, visibleLine } from '../../workspaces/visible.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'ok'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
const long = 'x'.repeat(300)

test('workspace names', () => {
  for (const name of ['a', '0', 'fix-tests', 'a'.repeat(63)]) expect(checkName(name)).toBe(name)
  const hostile = [
    '',
    '.git',
    '..',
    '-f',
    'a/../../b',
    'con',
    'nul',
    'x.',
    'A',
    'ä',
    'a b',
    'a\n',
    'a'.repeat(64),
    '--force',
    'a\0',
    'a/b',
    '$(id)',
    'aux',
  ]
  expect(hostile.map((name) => codeOf(() => checkName(name)))).toEqual(hostile.map(() => 'usage_invalid'))
})

test('branches and revisions', () => {
  for (const ref of ['refs/heads/main', 'refs/heads/feature/ü+#1']) expect(checkBranch(ref)).toBe(ref)
  const hostile = [
    'main',
    'refs/heads/',
    'refs/heads/--output=x',
    'refs/heads/a/-b',
    'refs/heads/a..b',
    'refs/heads/a.lock',
    'refs/heads/.a',
    'refs/heads/a b',
  ]
  const more = [
    'refs/heads/a\n',
    'refs/heads/a//b',
    'refs/heads/a@{1}',
    'refs/heads/a/',
    'refs/tags/v1',
    'refs/heads/a*',
    'refs/heads/a~1',
    'refs/heads/a.',
  ]
  expect([...hostile, ...more].map((ref) => codeOf(() => checkBranch(ref)))).toEqual([...hostile, ...more].map(() => 'usage_invalid'))
  expect(['--all', '', 'a\nb', '-p'].map((revision) => codeOf(() => checkRevision(revision)))).toEqual(
    Array.from({ length: 4 }, () => 'usage_invalid'),
  )
  expect(checkRevision('HEAD~2')).toBe('HEAD~2')
})

describe('paths', () => {
  test.each([
    '.git',
    '.GIT',
    '.Git',
    'git~1',
    'GIT~2',
    '.git.',
    '.git ',
    '.git. . ',
    '.git::$INDEX_ALLOCATION',
    '.git:x',
    '.g\u200cit',
    '\u202e.git',
    '.git\\x',
    '.gi\ufefft',
    '.ｇit',
  ])('%j is .git somewhere', (name) => {
    expect(isGitName(name)).toBe(true)
    for (const path of [name, `${name}/config`, `a/${name}/hooks/x`, `a/${name}`])
      expect(codeOf(() => checkPath(path))).toBe('intake_refused')
  })
  test.each([
    '',
    '.',
    '..',
    '/a',
    'a//b',
    'a/../b',
    'a/./b',
    'a/',
    'a\\b',
    'a:b',
    'a.',
    'a ',
    'a\tb',
    'a\nb',
    'a\x1b[2J',
    'a\u0085',
    'a\u202eb',
    'a\uFFFDb',
    long,
    'a/'.repeat(70) + 'b',
    `${'abcdefghi/'.repeat(110)}x`,
  ])('%j is refused', (path) => expect(codeOf(() => checkPath(path))).toBe('intake_refused'))
  test.each([
    'a',
    '.gitignore',
    '.gitattributes',
    '.github/workflows/x.yml',
    'gitk',
    '.gitx',
    'git',
    'ünï/日本語.txt',
    '--output=x',
    '-',
    'a b/c d',
    "it's $(x) `y`",
    'con.txt',
    '…',
    'x~1',
  ])('%j is fine', (path) => expect(codeOf(() => checkPath(path))).toBe('ok'))
})

describe('links', () => {
  test.each([
    ['l', '/etc/passwd'], ['l', '..'], ['l', '../x'], ['a/l', '../../x'], ['a/l', '../..'], ['l', 'a/../..'], ['l', 'a/../b'], ['l', '.git/config'],
    ['a/l', '../.git'], ['a/l', '../.GIT/hooks'], ['l', ''], ['l', 'C:/x'], ['l', 'a\\b'], ['l', 'a\nb'], ['.gitmodules', 'a'], ['.gitattributes', 'b'], ['l', 'x'.repeat(1001)],
  ])('%j -> %j is refused', (path, target) => expect(codeOf(() => checkLink(path, target))).toBe('intake_refused')) // prettier-ignore
  test.each([
    ['l', 'a'], ['l', './a/b'], ['a/l', '..'], ['a/l', '../b'], ['a/b/l', '../../c/d'], ['l', '.'], ['l', '..x'],
  ])('%j -> %j is fine', (path, target) => expect(codeOf(() => checkLink(path, target))).toBe('ok')) // prettier-ignore
})

const collision = (added: string[], tree: string[], base: string[] = []): string => codeOf(() => checkCollisions(added, tree, base))
const embedded = (paths: string[]): string => codeOf(() => checkEmbedded(paths, paths))

test('names that are one file on other systems', () => {
  expect(collision(['readme.md'], ['README.md', 'readme.md'])).toBe('intake_refused')
  expect(collision(['a/x'], ['A/y', 'a/x'])).toBe('intake_refused')
  expect(collision(['a/x'], ['A', 'a/x'])).toBe('intake_refused')
  expect(collision(['\u00e9'], ['e\u0301', '\u00e9'])).toBe('intake_refused')
  expect(collision(['b'], ['A', 'a', 'b'], ['A', 'a'])).toBe('ok')
  expect(collision(['a/new'], ['A/y', 'a/x', 'a/new'], ['A/y', 'a/x'])).toBe('ok')
  expect(collision([], ['A', 'a'])).toBe('ok')
})

test('repositories without a .git directory', () => {
  expect(embedded(['x/HEAD', 'x/objects/a', 'x/refs/heads/m', 'x/config'])).toBe('intake_refused')
  expect(embedded(['x/head', 'x/Objects/a', 'x/REFS/heads/m'])).toBe('intake_refused')
  expect(embedded(['x/HEAD', 'x/commondir'])).toBe('intake_refused')
  expect(embedded(['HEAD', 'objects/a', 'refs/b'])).toBe('intake_refused')
  expect(embedded(['x/HEAD', 'x/objects/a', 'y/refs/b'])).toBe('ok')
})

test('text for people has no control, bidirectional or invisible character', () => {
  expect(visible('a\x1b[31mb\r\x07\x7f\u009b\u202e\u200b\u{e0041}\tc\n')).toBe('a^[[31mb^M^G^?<U+009B><U+202E><U+200B><U+E0041>\tc\n')
  expect(visibleLine('a\nb\tc', 4)).toBe('a\\nb…')
})

test('a body cannot claim trailers of Bulkhead', () => {
  const text = messageText(
    { subject: 'x\ny\x1b', body: 'hello\n\nBulkhead-Job: job_other\n', trailers: { 'Bulkhead-Job': 'job_1', 'bad key': 'x', K: 'a\nb' } },
    'f',
  )
  expect(text).toBe('x\\ny^[\n\nhello\n\n> Bulkhead-Job: job_other\n\nBulkhead-Job: job_1\nK: a\\nb\n')
  expect(messageText({ subject: ' ', body: '', trailers: {} }, 'fallback')).toBe('fallback\n')
  expect(authorOf({ subject: '', body: '', trailers: { 'Bulkhead-Agent': 'x <root@localhost>\n' } }, 'job')).toEqual({
    name: 'job',
    email: 'job@bulkhead.invalid',
  })
})

const kinds = (path: string, more: object = {}): string[] =>
  pathFlags([{ oldMode: '100644', newMode: '100644', oldHash: 'a', newHash: 'b', status: 'M', from: null, path, ...more }]).map(
    ({ kind }) => kind,
  )

test('risk by path', () => {
  expect(['.github/workflows/ci.yml', '.gitlab-ci.yml', 'Jenkinsfile', 'x/action.yml'].map((path) => kinds(path))).toEqual(
    Array.from({ length: 4 }, () => ['ci']),
  )
  const executable = [
    '.gitattributes',
    'a/.gitmodules',
    '.vscode/tasks.json',
    '.idea/x.xml',
    '.husky/pre-commit',
    'package.json',
    'Makefile',
    'sub/GNUmakefile',
    'conftest.py',
    'build.rs',
  ]
  const moreExecutable = [
    '.cargo/config.toml',
    'gradle/wrapper/gradle-wrapper.jar',
    '.pnpmfile.cjs',
    'vite.config.ts',
    '.eslintrc.json',
    '.envrc',
    '.npmrc',
    'venv/bin/python',
    'tsconfig.build.json',
  ]
  for (const path of [...executable, ...moreExecutable]) expect([path, kinds(path)]).toEqual([path, ['executable-config']])
  expect(
    ['AGENTS.md', 'CLAUDE.md', '.claude/settings.json', '.cursor/rules/x', '.mcp.json', 'bulkhead.yaml'].map((path) => kinds(path)),
  ).toEqual(Array.from({ length: 6 }, () => ['agent-instructions']))
  expect(kinds('package-lock.json')).toEqual(['lockfile'])
  expect(kinds('src/index.ts')).toEqual([])
  expect(kinds('src/index.ts', { newMode: '100755' })).toEqual(['mode'])
  expect(kinds('src/index.ts', { newMode: '120000' })).toEqual(['symlink'])
  expect(kinds('docs/old', { from: 'Makefile', status: 'R' })).toEqual(['executable-config'])
  expect(kinds('src/aux.c')).toEqual(['portability'])
})

test('secrets and hidden text are found by line, and never repeated', () => {
  const key = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('')
  const diff = `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +10,3 @@\n-diff --git old\n+fine\n+key = '${key}'\n+diff --git a/z b/z\ndiff --git a/y b/y\n@@ -0,0 +1 @@\n+a\u202eb\n`
  expect(contentFlags(diff, ['x', 'y'])).toEqual([
    { kind: 'secret', path: 'x', detail: 'line 11 looks like an AWS access key' },
    { kind: 'hidden-text', path: 'y', detail: 'line 1 has characters that hide or reorder text' },
  ])
})
