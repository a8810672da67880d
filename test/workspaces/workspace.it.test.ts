import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { agentGit, landRequest, message, naiveGit, startFlow, testRepository, writeFiles } from '../support/git-repository.ts'

describe('a workspace from creation to landing', () => {
  test('the main way', async () => {
    using repository = testRepository()
    const { workspaces, queue, workspace } = await startFlow(repository)
    expect(agentGit(workspace, ['status', '--porcelain'])).toBe('')
    expect(agentGit(workspace, ['branch', '--show-current'])).toBe('bulkhead/job\n')
    expect(readdirSync(join(workspace.path, '.git'))).toEqual([])
    expect(await workspaces.intake(workspace, message())).toBeNull()

    writeFiles(workspace.path, {
      'README.md': 'one\n2\nthree\n',
      'src/new.sh': { executable: '#!/bin/sh\n' },
      'src/link': { link: 'a.txt' },
    })
    rmSync(join(workspace.path, 'src/a.txt'))
    agentGit(workspace, ['add', '-A'])
    agentGit(workspace, ['commit', '-q', '-m', 'agent'])
    const snapshot = await workspaces.intake(workspace, message('Do it', { 'Bulkhead-Agent': 'fixer' }))
    expect(snapshot).toMatchObject({ counts: { files: 4, insertions: 3, deletions: 2 } })
    if (snapshot === null) return
    expect(naiveGit(repository.root, ['rev-parse', 'refs/bulkhead/jobs/job']).trim()).toBe(snapshot.commit)
    const review = await workspaces.review(snapshot.commit, repository.base)
    expect(review.tree).toBe(snapshot.tree)
    expect(review.files).toEqual([
      { path: 'README.md', change: 'modified', insertions: 1, deletions: 1, binary: false },
      { path: 'src/a.txt', change: 'deleted', insertions: 0, deletions: 1, binary: false },
      { path: 'src/link', change: 'added', insertions: 1, deletions: 0, binary: false },
      { path: 'src/new.sh', change: 'added', insertions: 1, deletions: 0, binary: false },
    ])
    expect(review.flags).toEqual([
      { kind: 'symlink', path: 'src/link', detail: 'nothing became a link' },
      { kind: 'mode', path: 'src/new.sh', detail: 'is a new executable' },
    ])
    const landed = await queue.land(landRequest(repository, snapshot))
    expect(landed).toEqual({ commit: landed.commit, from: repository.base, checkout: 'advanced', already: false })
    expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
    expect(readFileSync(join(repository.root, 'README.md'), 'utf8')).toBe('one\n2\nthree\n')
    expect(naiveGit(repository.root, ['log', '-1', '--format=%an %ae %cn%n%B', 'main'])).toContain('Bulkhead-Job: job_job000000000')
    expect(naiveGit(repository.root, ['rev-parse', 'main^{tree}']).trim()).toBe(snapshot.tree)
    expect(await queue.land(landRequest(repository, snapshot))).toEqual({
      commit: landed.commit,
      from: landed.commit,
      checkout: 'advanced',
      already: true,
    })
    expect(await workspaces.remove('job', { commit: snapshot.commit, merged: true })).toBeNull()
    expect(naiveGit(repository.root, ['for-each-ref', '--format=%(refname)']).trim()).toBe('refs/heads/main')
    expect(naiveGit(repository.root, ['worktree', 'list', '--porcelain']).match(/^worktree /gm)).toHaveLength(1)
    expect(naiveGit(repository.root, ['fsck', '--strict', '--no-dangling'])).toBe('')
    expect(existsSync(join(repository.root, '.git/worktrees/job'))).toBe(false)
  })
})
