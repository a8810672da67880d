import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { naiveGit, namedPipe, tryGit, writeFiles } from './git-repository.ts'

/** Where a plant is put: a work tree and the git directory that belongs to it. */
export interface PlantSite {
  readonly tree: string
  readonly git: string
  /** An executable that makes the canary file and copies stdin to stdout. */
  readonly fire: string
  readonly canary: string
  /** Outside of every repository. */
  readonly area: string
}

export interface Plant {
  readonly id: string
  readonly plant: (site: PlantSite) => void
  /** What a host that trusts the workspace does; the canary must exist afterwards. The git directory is `<tree>/.git`. */
  readonly naive: (site: PlantSite) => void
  /** What intake does with it. */
  readonly intake: 'taken' | 'refused'
}

const config = (git: string, text: string): void => appendFileSync(join(git, 'config'), `\n${text}\n`)
const edit = (tree: string): void => writeFiles(tree, { 'README.md': 'one\nagent\nthree\n' })
const status = ({ tree }: PlantSite): void => void tryGit(tree, ['status'])
const diff = ({ tree }: PlantSite): void => void tryGit(tree, ['diff'])
const add = ({ tree }: PlantSite): void => void tryGit(tree, ['add', '-A'])
const commit = ({ tree }: PlantSite): void => void tryGit(tree, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qam', 'x'])
const touch = (site: PlantSite): void => writeFileSync(site.canary, '')

const errorCode = (error: NodeJS.ErrnoException | undefined): string | undefined => error?.code

function sparseFile(path: string, bytes: number): void {
  writeFileSync(path, '')
  truncateSync(path, bytes)
}

function evilRepository(directory: string, site: PlantSite): void {
  mkdirSync(directory, { recursive: true })
  naiveGit(directory, ['init', '-q'])
  config(join(directory, '.git'), `[core]\n\tfsmonitor = ${site.fire}`)
}

/** A plant that consists of configuration and, optionally, attributes. */
function configured(id: string, text: (site: PlantSite) => string, naive: Plant['naive'], attributes = ''): Plant {
  return {
    id,
    plant: (site) => {
      edit(site.tree)
      if (attributes !== '') writeFiles(site.tree, { '.gitattributes': attributes })
      config(site.git, text(site))
    },
    naive,
    intake: 'taken',
  }
}

function hook(name: string, naive: Plant['naive']): Plant {
  return {
    id: `hook ${name}`,
    plant: ({ tree, git, fire }) => {
      edit(tree)
      writeFiles(git, { [`hooks/${name}`]: { executable: `#!/bin/sh\n${fire} </dev/null\n` } })
    },
    naive,
    intake: 'taken',
  }
}

export const plants: readonly Plant[] = [
  configured('GM-001 fsmonitor', ({ fire }) => `[core]\n\tfsmonitor = ${fire}`, status),
  configured('GM-001 fsmonitor and diff', ({ fire }) => `[core]\n\tfsmonitor = ${fire}`, diff),
  configured(
    'GM-001 fsmonitor and ls-files',
    ({ fire }) => `[core]\n\tfsmonitor = ${fire}`,
    ({ tree }) => void tryGit(tree, ['ls-files']),
  ),
  hook('post-index-change', add),
  hook('reference-transaction', commit),
  hook('pre-commit', commit),
  hook('post-checkout', ({ tree }) => void tryGit(tree, ['checkout', '-q', '-b', 'x'])),
  {
    id: 'GM-004 hooksPath into the work tree',
    plant: ({ tree, git, fire }) => {
      writeFiles(tree, { 'h/post-index-change': { executable: `#!/bin/sh\n${fire} </dev/null\n` } })
      config(git, `[core]\n\thooksPath = ${join(tree, 'h')}`)
    },
    naive: add,
    intake: 'taken',
  },
  {
    id: 'GM-005 .git is a link to another repository',
    plant: (site) => {
      edit(site.tree)
      const evil = join(site.area, `evil-${Math.random()}`)
      evilRepository(evil, site)
      rmSync(join(site.tree, '.git'), { recursive: true })
      symlinkSync(join(evil, '.git'), join(site.tree, '.git'))
    },
    naive: status,
    intake: 'taken',
  },
  {
    id: 'GM-006 .git is a file that names another repository',
    plant: (site) => {
      edit(site.tree)
      const evil = join(site.area, `evil-${Math.random()}`)
      evilRepository(evil, site)
      rmSync(join(site.tree, '.git'), { recursive: true })
      writeFileSync(join(site.tree, '.git'), `gitdir: ${join(evil, '.git')}\n`)
    },
    naive: status,
    intake: 'taken',
  },
  {
    id: 'GM-007 repository in a new directory',
    plant: (site) => {
      evilRepository(join(site.tree, 'sub'), site)
      writeFiles(site.tree, { 'sub/x': 'x' })
    },
    naive: ({ tree }) => void tryGit(join(tree, 'sub'), ['status']),
    intake: 'refused',
  },
  {
    id: 'GM-007 repository in a tracked directory',
    plant: (site) => {
      edit(site.tree)
      evilRepository(join(site.tree, 'src'), site)
    },
    naive: ({ tree }) => void tryGit(join(tree, 'src'), ['status']),
    intake: 'taken',
  },
  {
    id: 'GM-007 repository with a commit, as a new submodule',
    plant: (site) => {
      const sub = join(site.tree, 'sub')
      evilRepository(sub, site)
      rmSync(site.canary, { force: true })
      naiveGit(sub, ['-c', 'core.fsmonitor=false', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'x'])
    },
    naive: ({ tree }) => {
      tryGit(tree, ['add', 'sub'])
      tryGit(tree, ['status'])
    },
    intake: 'refused',
  },
  configured('GM-008 clean filter', ({ fire }) => `[filter "evil"]\n\tclean = ${fire}\n\tsmudge = ${fire}`, add, '* filter=evil\n'),
  configured('GM-008 filter process', ({ fire }) => `[filter "evil"]\n\tprocess = ${fire}\n\trequired`, add, '* filter=evil\n'),
  configured('GM-009 external diff', ({ fire }) => `[diff]\n\texternal = ${fire}`, diff),
  configured('GM-009 diff driver', ({ fire }) => `[diff "evil"]\n\tcommand = ${fire}`, diff, '* diff=evil\n'),
  configured('GM-009 textconv', ({ fire }) => `[diff "evil"]\n\ttextconv = ${fire}`, diff, '* diff=evil\n'),
  configured(
    'GM-010 merge driver',
    ({ fire }) => `[merge "evil"]\n\tdriver = ${fire}`,
    (site) => {
      const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b']
      naiveGit(site.tree, [...identity, 'commit', '-qam', 'ours'])
      naiveGit(site.tree, ['checkout', '-qb', 'other', 'HEAD~'])
      writeFiles(site.tree, { 'README.md': 'one\nother\nthree\n' })
      naiveGit(site.tree, [...identity, 'commit', '-qam', 'theirs'])
      rmSync(site.canary, { force: true })
      writeFiles(site.tree, { '.gitattributes': '* merge=evil\n' })
      tryGit(site.tree, [...identity, 'merge', '-q', 'main'])
    },
    '* merge=evil\n',
  ),
  {
    id: 'GM-011 include.path',
    plant: ({ tree, git, fire }) => {
      writeFiles(tree, { 'harmless.txt': `[core]\n\tfsmonitor = ${fire}\n` })
      config(git, `[include]\n\tpath = ${join(tree, 'harmless.txt')}`)
    },
    naive: status,
    intake: 'taken',
  },
  {
    id: 'GM-012 config.worktree',
    plant: ({ tree, git, fire }) => {
      edit(tree)
      config(git, '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tworktreeConfig = true')
      writeFileSync(join(git, 'config.worktree'), `[core]\n\tfsmonitor = ${fire}\n`)
    },
    naive: status,
    intake: 'taken',
  },
  {
    id: 'GM-013 commondir',
    plant: (site) => {
      edit(site.tree)
      const evil = join(site.area, `evil-${Math.random()}`)
      evilRepository(evil, site)
      writeFileSync(join(site.git, 'commondir'), `${join(evil, '.git')}\n`)
    },
    naive: status,
    intake: 'taken',
  },
  configured('GM-015 gpg.program', ({ fire }) => `[gpg]\n\tprogram = ${fire}\n[commit]\n\tgpgSign = true`, commit),
  configured(
    'GM-016 core.worktree',
    ({ area }) => `[core]\n\tworktree = ${area}/stolen`,
    (site) => {
      mkdirSync(join(site.area, 'stolen'), { recursive: true })
      tryGit(site.tree, ['checkout', '-f', 'HEAD'])
      if (spawnSync('test', ['-e', join(site.area, 'stolen', 'README.md')]).status === 0) touch(site)
    },
  ),
  {
    id: 'GM-021 branch name with shell characters',
    plant: ({ tree, git, canary }) => {
      edit(tree)
      const head = naiveGit(tree, ['rev-parse', '--verify', 'HEAD'], { GIT_DIR: git })
      writeFiles(git, { [`refs/heads/x;>${canary.replaceAll('/', '${s}')}`]: head })
    },
    naive: ({ tree }) => {
      const names = naiveGit(tree, ['for-each-ref', '--format=%(refname:short)'])
      spawnSync('sh', ['-c', `s=/; for r in 1; do git log ${names.split('\n').find((name) => name.startsWith('x')) ?? ''}; done`], {
        cwd: tree,
      })
    },
    intake: 'taken',
  },
  {
    id: 'GM-022 branch named like an option',
    plant: ({ tree, git, canary }) => {
      edit(tree)
      const head = naiveGit(tree, ['rev-parse', '--verify', 'HEAD'], { GIT_DIR: git })
      writeFiles(git, { [`refs/heads/--output=${canary}`]: head })
    },
    naive: ({ tree, canary }) => void tryGit(tree, ['log', `--output=${canary}`]),
    intake: 'taken',
  },
  configured('GM-031 credential.helper', ({ fire }) => `[credential]\n\thelper = "!${fire}"`, ({ tree }) =>
    void spawnSync('git', ['credential', 'fill'], { cwd: tree, input: 'protocol=https\nhost=x.invalid\n\n', env: { ...process.env, GIT_TERMINAL_PROMPT: '0' } })), // prettier-ignore
  {
    id: 'GM-033 submodule update command',
    plant: (site) => {
      const { tree, git, fire } = site
      evilRepository(join(tree, 'sub'), site)
      writeFiles(tree, { '.gitmodules': '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n', 'sub/x': 'x' })
      naiveGit(join(tree, 'sub'), ['-c', 'core.fsmonitor=false', 'add', 'x'])
      naiveGit(join(tree, 'sub'), ['-c', 'core.fsmonitor=false', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x'])
      rmSync(site.canary, { force: true })
      config(git, `[submodule "sub"]\n\turl = ${join(tree, 'sub')}\n\tactive = true\n\tupdate = "!${fire}"`)
    },
    naive: ({ tree }) => {
      tryGit(tree, ['-c', 'core.fsmonitor=false', 'add', 'sub'])
      config(join(tree, 'sub/.git'), '[core]\n\tfsmonitor = false')
      naiveGit(tree, ['update-index', '--cacheinfo', `160000,${naiveGit(tree, ['rev-parse', 'HEAD']).trim()},sub`])
      tryGit(tree, ['submodule', 'update', '--no-fetch'])
    },
    intake: 'refused',
  },
  configured(
    'alias',
    ({ fire }) => `[alias]\n\tst = "!${fire}"`,
    ({ tree }) => void tryGit(tree, ['st']),
  ),
  configured('ext:: remote', ({ fire }) => `[remote "origin"]\n\turl = ext::${fire}\n[protocol "ext"]\n\tallow = always`, ({ tree }) =>
    void tryGit(tree, ['fetch'])), // prettier-ignore
  configured('sshCommand', ({ fire }) => `[core]\n\tsshCommand = ${fire}\n[remote "origin"]\n\turl = ssh://x.invalid/y`, ({ tree }) =>
    void tryGit(tree, ['fetch'])), // prettier-ignore
  configured('editor', ({ fire }) => `[core]\n\teditor = ${fire}`, ({ tree }) =>
    void tryGit(tree, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-a'])), // prettier-ignore
  {
    id: 'bare repository among the files',
    plant: ({ tree, fire }) =>
      writeFiles(tree, {
        'fixtures/HEAD': 'ref: refs/heads/main\n',
        'fixtures/config': `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = ${fire}\n`,
        'fixtures/objects/x': '',
        'fixtures/refs/heads/x': '',
      }),
    naive: ({ tree }) => void tryGit(join(tree, 'fixtures'), ['status']),
    intake: 'refused',
  },
  {
    id: 'GM-037 link to a directory that cleaning up would empty',
    plant: (site) => {
      mkdirSync(join(site.area, 'precious'), { recursive: true })
      writeFileSync(join(site.area, 'precious/keep.txt'), 'keep')
      symlinkSync(join(site.area, 'precious'), join(site.tree, 'cache'))
    },
    naive: (site) => {
      execFileSync('sh', ['-c', 'rm -rf ./*/* 2>/dev/null || true'], { cwd: site.tree })
      if (spawnSync('test', ['-e', join(site.area, 'precious/keep.txt')]).status !== 0) touch(site)
    },
    intake: 'refused',
  },
  {
    id: 'link out of the tree that the host writes through',
    plant: ({ tree, canary }) => writeFiles(tree, { 'notes.txt': { link: canary } }),
    naive: ({ tree }) => writeFileSync(join(tree, 'notes.txt'), 'x'),
    intake: 'refused',
  },
  {
    id: 'directory replaced by a link',
    plant: ({ tree, area, canary }) => {
      rmSync(join(tree, 'src'), { recursive: true })
      symlinkSync(area, join(tree, 'src'))
      void canary
    },
    naive: ({ tree, canary, area }) => writeFileSync(join(tree, 'src', canary.slice(area.length + 1)), 'x'),
    intake: 'refused',
  },
  ...['.GIT', 'git~1', '.git ', '.g\u200cit'].map((name): Plant => ({
    id: `GM-063 a directory named ${JSON.stringify(name)}`,
    plant: ({ tree }) => writeFiles(tree, { [`${name}/config`]: '[core]\n' }),
    // An agent that writes objects itself is not held back by `git add`.
    naive: (site) => {
      const tree = naiveGit(site.tree, ['rev-parse', 'HEAD^{tree}']).trim()
      const made = spawnSync('git', ['mktree'], { cwd: site.tree, input: `040000 tree ${tree}\t${name}\n` })
      if (made.status === 0) touch(site)
    },
    intake: 'refused',
  })),
  {
    id: 'GM-062 names that differ by case',
    plant: ({ tree }) => writeFiles(tree, { 'readme.md': 'x' }),
    naive: (site) => (tryGit(site.tree, ['add', '-A']) === 0 ? touch(site) : undefined),
    intake: 'refused',
  },
  {
    id: 'GM-064 a file above the limit',
    plant: ({ tree }) => sparseFile(join(tree, 'big'), 101 * 1024 * 1024),
    naive: (site) => (tryGit(site.tree, ['add', '-A']) === 0 ? touch(site) : undefined),
    intake: 'refused',
  },
  {
    id: 'tracked file became a named pipe',
    plant: ({ tree }) => {
      rmSync(join(tree, 'README.md'))
      namedPipe(join(tree, 'README.md'))
    },
    naive: (site) => {
      const { error } = spawnSync('cat', [join(site.tree, 'README.md')], { timeout: 300 })
      if (errorCode(error) === 'ETIMEDOUT') touch(site)
    },
    intake: 'refused',
  },
  {
    id: 'new named pipe and socket',
    plant: ({ tree }) => {
      edit(tree)
      namedPipe(join(tree, 'pipe'))
    },
    naive: (site) => {
      const { error } = spawnSync('grep', ['-r', 'x', site.tree, '--devices=read'], { timeout: 300 })
      if (errorCode(error) === 'ETIMEDOUT') touch(site)
    },
    intake: 'taken',
  },
  {
    id: 'GM-023 change hidden from git',
    plant: ({ tree, git }) => {
      naiveGit(tree, ['update-index', '--assume-unchanged', 'README.md'], { GIT_DIR: git, GIT_WORK_TREE: tree })
      naiveGit(tree, ['update-index', '--skip-worktree', 'src/a.txt'], { GIT_DIR: git, GIT_WORK_TREE: tree })
      writeFiles(git, { 'info/exclude': '*\n' })
      writeFiles(tree, { 'README.md': 'hidden\n', 'src/a.txt': 'hidden\n', 'new.txt': 'hidden\n' })
    },
    naive: (site) => (naiveGit(site.tree, ['status', '--porcelain']) === '' ? touch(site) : undefined),
    intake: 'taken',
  },
  {
    id: 'GM-024 change with the old size and time',
    plant: ({ tree, git }) => {
      const at = new Date(1_600_000_000_000)
      utimesSync(join(tree, 'README.md'), at, at)
      config(git, '[core]\n\ttrustctime = false\n\tcheckStat = minimal')
      naiveGit(tree, ['update-index', '--refresh'], { GIT_DIR: git, GIT_WORK_TREE: tree })
      writeFileSync(join(tree, 'README.md'), 'one\nTWO\nthree\n')
      utimesSync(join(tree, 'README.md'), at, at)
    },
    naive: (site) => (naiveGit(site.tree, ['status', '--porcelain']) === '' ? touch(site) : undefined),
    intake: 'taken',
  },
  {
    id: 'GM-019 deleted objects, poisoned alternates, grafts and replacements',
    plant: ({ tree, git, area }) => {
      edit(tree)
      const head = naiveGit(tree, ['rev-parse', 'HEAD'], { GIT_DIR: git }).trim()
      writeFiles(git, { [`refs/replace/${head}`]: `${head}\n`, 'info/grafts': `${head}\n`, 'objects/info/alternates': `${area}/nowhere\n` })
      for (const name of readdirSync(join(git, 'objects'))) if (name.length === 2) rmSync(join(git, 'objects', name), { recursive: true })
    },
    naive: (site) => (tryGit(site.tree, ['fsck']) === 0 ? undefined : touch(site)),
    intake: 'taken',
  },
]

/** Copies a repository's files so that a plant can be tried on a host that has no walls. */
export function naiveCopy(root: string, tree: string): void {
  cpSync(root, tree, { recursive: true, verbatimSymlinks: true })
}
