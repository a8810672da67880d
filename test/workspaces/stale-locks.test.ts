import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeStaleLocks } from '../../workspaces/stale-locks.ts'

test('locks go, everything else stays, and no link is followed', () => {
  const root = mkdtempSync(join(tmpdir(), 'bulkhead-locks-'))
  const git = join(root, 'git')
  const outside = join(root, 'outside')
  for (const path of ['refs/heads', 'objects']) mkdirSync(join(git, path), { recursive: true })
  mkdirSync(outside)
  const gone = ['index.lock', 'HEAD.lock', 'refs/heads/main.lock'].map((name) => join(git, name))
  const kept = [...['index', 'lock', 'refs/heads/main', 'objects/x.lock'].map((name) => join(git, name)), join(outside, 'user.lock')]
  for (const path of [...gone, ...kept]) writeFileSync(path, '')
  symlinkSync(outside, join(git, 'refs', 'link'))
  symlinkSync(join(outside, 'user.lock'), join(git, 'linked.lock'))
  removeStaleLocks(git)
  expect(gone.filter((path) => existsSync(path))).toEqual([])
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
  rmSync(root, { recursive: true })
})
