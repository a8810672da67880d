import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LandRequest, Snapshot } from '../../core/contracts/workspace.ts'
import { BulkheadError } from '../../core/contracts/error.ts'
import { createMergeQueue } from '../../workspaces/index.ts'
import { commitAll, landRequest, message, naiveGit, startFlow, testRepository, tryGit, writeFiles, type FileContent, type Flow, type TestRepository } from '../support/git-repository.ts' // prettier-ignore
import { openAt } from '../support/open-workspaces.ts'

async function snapshotOf(flow: Flow, files: Readonly<Record<string, FileContent>>): Promise<Snapshot> {
  writeFiles(flow.workspace.path, files)
  const snapshot = await flow.workspaces.intake(flow.workspace, message())
  if (snapshot === null) throw new Error('nothing changed')
  return snapshot
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'ok'
  } catch (error) {
    return BulkheadError.from(error).code
  }
}
const tip = (repository: TestRepository, ref = 'refs/heads/main'): string => naiveGit(repository.root, ['rev-parse', ref]).trim()
const refs = (repository: TestRepository, under: string): string =>
  naiveGit(repository.root, ['for-each-ref', '--format=%(refname)', under])

describe('what does not land', () => {
  test('a conflict names the paths and moves nothing', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'one\nagent\nthree\n' })
    writeFiles(repository.root, { 'README.md': 'one\nuser\nthree\n' })
    const mine = commitAll(repository.root, 'mine')
    const landing = flow.queue.land(landRequest(repository, snapshot))
    await expect(landing).rejects.toMatchObject({ code: 'merge_conflict', details: { where: 'README.md' } })
    expect(tip(repository)).toBe(mine)
    expect(refs(repository, 'refs/bulkhead/candidates')).toBe('')
  })

  test('a gate that fails', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'x\n' })
    const seen: unknown[] = []
    const check: LandRequest['check'] = async (candidate) => {
      seen.push({ ...candidate, visible: tip(repository, 'refs/bulkhead/candidates/job') === candidate.commit })
      throw new BulkheadError('merge_gate_failed', 'no')
    }
    expect(await codeOf(flow.queue.land({ ...landRequest(repository, snapshot), check }))).toBe('merge_gate_failed')
    expect(seen).toEqual([{ commit: expect.any(String), tree: snapshot.tree, onto: repository.base, visible: true }])
    expect([tip(repository), refs(repository, 'refs/bulkhead/candidates')]).toEqual([repository.base, ''])
  })

  test('another tree than the approved one, a branch that does not exist, a name that is an option', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'x\n' })
    const request = landRequest(repository, snapshot)
    expect(await codeOf(flow.queue.land({ ...request, tree: repository.base }))).toBe('review_stale')
    expect(await codeOf(flow.queue.land({ ...request, target: 'refs/heads/none' }))).toBe('usage_invalid')
    expect(await codeOf(flow.queue.land({ ...request, target: 'refs/heads/--output=x' }))).toBe('usage_invalid')
    expect(await codeOf(flow.queue.land({ ...request, target: 'main' }))).toBe('usage_invalid')
    expect(await codeOf(flow.queue.land({ ...request, name: '../x' }))).toBe('usage_invalid')
    expect(tip(repository)).toBe(repository.base)
  })

  test('a target that moves every time; once is only tried again', async () => {
    using repository = testRepository()
    naiveGit(repository.root, ['branch', 'stable'])
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'x\n' })
    let checks = 0
    let moves = Infinity
    const request: LandRequest = {
      ...landRequest(repository, snapshot),
      target: 'refs/heads/stable',
      check: async () => {
        checks += 1
        if (moves-- <= 0) return
        writeFiles(repository.root, { [`other-${checks}`]: 'x' })
        naiveGit(repository.root, ['update-ref', 'refs/heads/stable', commitAll(repository.root, 'other')])
      },
    }
    expect(await codeOf(flow.queue.land(request))).toBe('merge_target_moved')
    expect(checks).toBe(5)
    moves = 1
    const landed = await flow.queue.land(request)
    expect(checks).toBe(7)
    expect(landed).toMatchObject({ checkout: 'none', already: false })
    expect(naiveGit(repository.root, ['show', 'stable:README.md'])).toBe('x\n')
    expect(naiveGit(repository.root, ['show', 'stable:other-6'])).toBe('x')
  })
})

describe('the user’s checkout', () => {
  const dirt: readonly (readonly [string, (root: string) => void])[] = [
    ['a touched file is changed', (root) => writeFiles(root, { 'README.md': 'mine\n' })],
    ['something is staged', (root) => (writeFiles(root, { 'staged.txt': 'x' }), void naiveGit(root, ['add', 'staged.txt']))],
    ['an untracked file is in the way', (root) => writeFiles(root, { 'new.txt': 'mine' })],
    [
      'an ignored file is in the way',
      (root) => (writeFileSync(join(root, '.git/info/exclude'), 'new.txt\n'), writeFiles(root, { 'new.txt': 'mine' })),
    ],
    ['a link is in the way', (root) => symlinkSync('/etc', join(root, 'dir'))],
    ['git is working there', (root) => writeFileSync(join(root, '.git/index.lock'), '')],
    ['the branch is being rebased', (root) => writeFiles(root, { '.git/rebase-merge/head-name': 'refs/heads/main\n' })],
    ['a merge is unfinished', (root) => writeFileSync(join(root, '.git/MERGE_HEAD'), naiveGit(root, ['rev-parse', 'HEAD']))],
  ]
  test.each(dirt)('%s: refused, nothing moved or lost', async (_, make) => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n', 'new.txt': 'agent', 'dir/x.txt': 'agent' })
    make(repository.root)
    const before = naiveGit(repository.root, ['--no-optional-locks', 'status', '--porcelain', '--ignored'])
    await expect(flow.queue.land(landRequest(repository, snapshot))).rejects.toMatchObject({ code: 'merge_checkout_dirty' })
    expect(tip(repository)).toBe(repository.base)
    expect(naiveGit(repository.root, ['--no-optional-locks', 'status', '--porcelain', '--ignored'])).toBe(before)
    expect(existsSync(join(repository.root, '.git/index.lock'))).toBe(_ === 'git is working there')
    expect(await flow.workspaces.recover()).toEqual([])
  })

  test('changes elsewhere stay as they are', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n', 'dir/x.txt': 'agent' })
    writeFiles(repository.root, { 'src/a.txt': 'mine\n', 'untracked.txt': 'mine' })
    execFileSync('touch', [join(repository.root, 'README.md')])
    expect(await flow.queue.land(landRequest(repository, snapshot))).toMatchObject({ checkout: 'advanced' })
    expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe(' M src/a.txt\n?? untracked.txt\n')
    expect(readFileSync(join(repository.root, 'dir/x.txt'), 'utf8')).toBe('agent')
  })

  test('a branch that is checked out in a linked worktree, or nowhere', async () => {
    using repository = testRepository()
    const linked = join(repository.area, 'linked checkout')
    naiveGit(repository.root, ['worktree', 'add', '-q', '-b', 'topic', linked])
    naiveGit(repository.root, ['branch', 'free'])
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n' })
    const request = landRequest(repository, snapshot)
    expect(await flow.queue.land({ ...request, target: 'refs/heads/free' })).toMatchObject({ checkout: 'none' })
    expect(await flow.queue.land({ ...request, target: 'refs/heads/topic' })).toMatchObject({ checkout: 'advanced' })
    expect(naiveGit(linked, ['status', '--porcelain'])).toBe('')
    expect(readFileSync(join(linked, 'README.md'), 'utf8')).toBe('agent\n')
    expect(readFileSync(join(repository.root, 'README.md'), 'utf8')).toBe('one\ntwo\nthree\n')
    expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
  })

  test('the user’s hooks and filters do not run; without Bulkhead they do', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const canary = join(repository.area, 'fired')
    const fire = join(repository.area, 'fire')
    writeFileSync(fire, `#!/bin/sh\n: > ${canary}\nexec cat\n`, { mode: 0o755 })
    for (const name of ['post-checkout', 'post-merge', 'reference-transaction', 'post-index-change']) {
      writeFiles(join(repository.root, '.git/hooks'), { [name]: { executable: `#!/bin/sh\n: > ${canary}\n` } })
    }
    naiveGit(repository.root, ['config', 'filter.mine.smudge', fire])
    naiveGit(repository.root, ['config', 'filter.mine.clean', fire])
    naiveGit(repository.root, ['config', 'filter.mine.required', 'true'])
    naiveGit(repository.root, ['config', 'core.fsmonitor', fire])
    const snapshot = await snapshotOf(flow, { '.gitattributes': '* filter=mine\n', 'README.md': 'agent\n' })
    expect(await flow.queue.land(landRequest(repository, snapshot))).toMatchObject({ checkout: 'advanced' })
    await flow.workspaces.create({ name: 'second', base: tip(repository), include: true })
    expect(existsSync(canary)).toBe(false)
    tryGit(repository.root, ['checkout', '-q', repository.base])
    expect(existsSync(canary)).toBe(true)
  })
})

test('a filter that only a linked worktree is configured with does not run either; without Bulkhead it does', async () => {
  using repository = testRepository()
  const linked = join(repository.area, 'linked')
  const canary = join(repository.area, 'fired')
  const fire = join(repository.area, 'fire')
  writeFileSync(fire, `#!/bin/sh\n: > ${canary}\nexec cat\n`, { mode: 0o755 })
  naiveGit(repository.root, ['config', 'extensions.worktreeConfig', 'true'])
  naiveGit(repository.root, ['checkout', '-q', '-b', 'elsewhere'])
  naiveGit(repository.root, ['worktree', 'add', '-q', linked, 'main'])
  naiveGit(linked, ['config', '--worktree', 'filter.mine.smudge', fire])
  const flow = await startFlow(repository)
  const snapshot = await snapshotOf(flow, { '.gitattributes': '* filter=mine\n', 'README.md': 'agent\n' })
  expect(await flow.queue.land(landRequest(repository, snapshot))).toMatchObject({ checkout: 'advanced' })
  expect(readFileSync(join(linked, 'README.md'), 'utf8')).toBe('agent\n')
  expect(existsSync(canary)).toBe(false)
  rmSync(join(linked, 'README.md'))
  tryGit(linked, ['checkout', '-q', '--', 'README.md'])
  expect(existsSync(canary)).toBe(true)
})

test('the checkout follows with the line ends that the user configured for themselves', async () => {
  using repository = testRepository()
  writeFiles(join(repository.area, 'home'), { '.gitconfig': '[core]\n\tautocrlf = true\n' })
  naiveGit(repository.root, ['checkout', '-q', '--', '.'])
  const flow = await startFlow(repository)
  const snapshot = await snapshotOf(flow, { 'README.md': 'one\nagent\nthree\n', 'new.txt': 'new\n' })
  const { checkout } = await flow.queue.land(landRequest(repository, snapshot))
  expect(checkout).toBe('advanced')
  expect(readFileSync(join(repository.root, 'README.md'), 'latin1')).toBe('one\r\nagent\r\nthree\r\n')
  expect(readFileSync(join(repository.root, 'new.txt'), 'latin1')).toBe('new\r\n')
  expect(naiveGit(repository.root, ['-c', 'core.autocrlf=true', 'status', '--porcelain'])).toBe('')
})

describe('exactly once', () => {
  test('a job that landed is not landed again, also after others', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n' })
    const request = landRequest(repository, snapshot)
    const first = await flow.queue.land(request)
    writeFiles(repository.root, { 'README.md': 'one\ntwo\nthree\n' })
    const reverted = commitAll(repository.root, 'the user took it back')
    expect(await flow.queue.land(request)).toEqual({ commit: first.commit, from: reverted, checkout: 'advanced', already: true })
    expect(tip(repository)).toBe(reverted)
  })

  test('another job cannot claim it in a message', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n' })
    const other = await flow.workspaces.create({ name: 'other', base: repository.base, include: false })
    writeFiles(other.path, { 'src/a.txt': 'other\n' })
    const second = await flow.workspaces.intake(other, message())
    if (second === null) throw new Error('nothing changed')
    const request = landRequest(repository, snapshot)
    const claim = { subject: 'x', body: `Bulkhead-Job: ${request.job}`, trailers: { Note: `Bulkhead-Job: ${request.job}` } }
    await flow.queue.land({ ...landRequest(repository, second, 'other'), message: claim })
    expect(await flow.queue.land(request)).toMatchObject({ already: false })
    expect(readFileSync(join(repository.root, 'README.md'), 'utf8')).toBe('agent\n')
  })

  test('ten jobs land at the same time from two openings of the repository', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const others = await openAt(repository.root, repository.environment)
    const queues = [flow.queue, createMergeQueue(others)]
    const jobs = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const name = `job-${index}`
        const workspace = await flow.workspaces.create({ name, base: repository.base, include: false })
        writeFiles(workspace.path, { [`made/${name}`]: name })
        const snapshot = await flow.workspaces.intake(workspace, message())
        if (snapshot === null) throw new Error('nothing changed')
        return landRequest(repository, snapshot, name)
      }),
    )
    const landOne = async (request: LandRequest, index: number): Promise<void> => {
      for (;;) {
        const code = await codeOf((queues[index % 2] ?? flow.queue).land(request))
        if (code === 'ok') return
        // Two at once: the slower one meets the index lock of the faster, or a target that moved.
        if (code !== 'merge_checkout_dirty' && code !== 'merge_target_moved') throw new Error(code)
      }
    }
    await Promise.all(jobs.map(landOne))
    expect(naiveGit(repository.root, ['ls-tree', '-r', '--name-only', 'main', 'made/']).trim().split('\n')).toHaveLength(10)
    expect(naiveGit(repository.root, ['rev-list', '--count', 'main']).trim()).toBe('11')
    expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
  })
})

/** Lands in another process whose git wrapper kills it when `stopAt` is about to run. */
async function crash(repository: TestRepository, request: LandRequest, stopAt: string): Promise<void> {
  const wrapper = join(repository.area, 'bin')
  mkdirSync(wrapper, { recursive: true })
  const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim()
  writeFiles(wrapper, {
    git: {
      executable: `#!/bin/bash\nif [[ "$*" == *"${stopAt}"* && "$*" != *" -n "* ]]; then kill -9 $PPID; exit 1; fi\nexec ${git} "$@"\n`,
    },
  })
  const plain = Object.fromEntries(Object.entries(request).filter(([key]) => key !== 'check'))
  const script = `
    import { createMergeQueue } from '${join(import.meta.dirname, '../../workspaces/index.ts')}'
    import { openAt } from '${join(import.meta.dirname, '../support/open-workspaces.ts')}'
    const workspaces = await openAt(${JSON.stringify(repository.root)}, ${JSON.stringify({ ...repository.environment, PATH: `${wrapper}:${repository.environment['PATH']}` })})
    await createMergeQueue(workspaces).land({ ...${JSON.stringify(plain)}, check: async () => {} })
  `
  writeFileSync(join(repository.area, 'crash.mts'), script)
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(repository.area, 'crash.mts')], {
    stdio: 'inherit',
  })
  const signal = await new Promise((resolve) => void child.on('exit', (_code, name) => resolve(name)))
  expect(signal).toBe('SIGKILL')
}

describe('a crash while landing', () => {
  test('before the target moved: nothing happened', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n' })
    await crash(repository, landRequest(repository, snapshot), 'update-ref -m bulkhead: land')
    expect(tip(repository)).toBe(repository.base)
    expect(existsSync(join(repository.root, '.git/index.lock'))).toBe(true)
    expect(await flow.workspaces.recover()).toEqual([])
    expect(existsSync(join(repository.root, '.git/index.lock'))).toBe(false)
    expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
    expect(await flow.queue.land(landRequest(repository, snapshot))).toMatchObject({ checkout: 'advanced', already: false })
  })

  test('between target and checkout: the checkout follows, also with some files written', async () => {
    using repository = testRepository({ 'README.md': 'one\n', 'gone.txt': 'x\n', 'src/a.txt': 'a\n' })
    const flow = await startFlow(repository)
    rmSync(join(flow.workspace.path, 'gone.txt'))
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n', 'new/file.txt': 'agent\n', 'src/a.txt': 'agent\n' })
    await crash(repository, landRequest(repository, snapshot), 'read-tree -m -u')
    expect(tip(repository)).not.toBe(repository.base)
    writeFiles(repository.root, { 'README.md': 'agent\n', 'new/file.txt': 'agent\n' })
    rmSync(join(repository.root, 'gone.txt'))
    expect(await flow.workspaces.recover()).toEqual([expect.stringContaining('moved the checkout')])
    expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
    expect(readFileSync(join(repository.root, 'src/a.txt'), 'utf8')).toBe('agent\n')
    expect(await flow.workspaces.recover()).toEqual([])
    expect(await flow.queue.land(landRequest(repository, snapshot))).toMatchObject({ already: true, checkout: 'advanced' })
  })

  test('between target and checkout, and the user changed a file since: nothing of theirs is lost', async () => {
    using repository = testRepository()
    const flow = await startFlow(repository)
    const snapshot = await snapshotOf(flow, { 'README.md': 'agent\n', 'src/a.txt': 'agent\n' })
    await crash(repository, landRequest(repository, snapshot), 'read-tree -m -u')
    writeFiles(repository.root, { 'README.md': 'mine\n' })
    expect(await flow.workspaces.recover()).toEqual([expect.stringContaining('is behind refs/heads/main and has local changes')])
    expect(readFileSync(join(repository.root, 'README.md'), 'utf8')).toBe('mine\n')
    expect(await flow.queue.land(landRequest(repository, snapshot))).toMatchObject({ already: true, checkout: 'behind' })
    expect(existsSync(join(repository.root, '.git/index.lock'))).toBe(false)
  })
})
