import { describe, expect, test } from 'vitest'
import type { AppliedLayer } from '../../../core/contracts/index.ts'
import { workspaceSid } from '../../../plugins/fs-acl/sid.ts'
import { probeOf } from '../../support/fake-agent-token.ts'
import type { FakeToken } from '../../support/fake-agent-token.ts'
import { home, job, makeWorkspace, stage, state, user } from './stage.ts'
import type { Stage } from './stage.ts'

const users = 'S-1-5-32-545'
const group = 'S-1-5-21-9-9-9-1042'

/** The usual token of an agent: the user, restricted in everything, of low integrity. */
const blind: FakeToken = {
  sids: [user, users, 'S-1-1-0', 'S-1-5-11'],
  denyOnly: ['S-1-5-32-544'],
  restricting: [workspaceSid(job.path), 'S-1-5-21-7-7-7-7', users, 'S-1-5-12'],
  restricts: 'everything',
  low: true,
}
/** An account of its own, in the group of agents and not the user. */
const account: FakeToken = { ...blind, sids: ['S-1-5-21-1-2-3-2001', group, users, 'S-1-1-0', 'S-1-5-11'] }

async function entered(
  wish: Parameters<Stage['apply']>[0] = {},
  accounts = false,
): Promise<{ readonly one: Stage; readonly applied: AppliedLayer }> {
  const one = stage()
  if (accounts) one.disk.groups.set('BulkheadAgents', group)
  await makeWorkspace(one, wish.options)
  return { one, applied: await one.apply(wish) }
}

async function broken(applied: AppliedLayer, one: Stage, token: FakeToken): Promise<readonly string[]> {
  const evidence = await applied.verify(probeOf(one.disk, token))
  return evidence.flatMap(({ claim, held }) => (held ? [] : [claim]))
}

describe('every claim holds', () => {
  test('for an agent that runs as the user', async () => {
    const { one, applied } = await entered({ policy: { deny: ['README.md', 'later'] } })
    const evidence = await applied.verify(probeOf(one.disk, blind))
    expect(evidence.map(({ claim, held }) => [claim, held])).toEqual(
      [
        'host-files-unwritable',
        'other-workspaces-closed',
        'system-unwritable',
        'workspace-usable',
        'policy-file-protected',
        'host-files-unreadable',
        'shared-directories-unwritable',
        'bookkeeping-closed',
        'git-metadata-closed',
        'denied-paths-closed',
      ].map((claim) => [claim, true]),
    )
    expect(evidence.find(({ claim }) => claim === 'host-files-unreadable')?.detail).toContain(`read ${home}\\.ssh: EACCES`)
    expect(evidence.every(({ detail }) => detail !== '' && !detail.includes('\n'))).toBe(true)
  })

  test('for an agent with an account of its own', async () => {
    const { one, applied } = await entered({}, true)
    expect(await broken(applied, one, account)).toEqual([])
  })

  test('in a checkout that was there before', async () => {
    const one = stage()
    const path = `${home}\\project`
    const applied = await one.apply({ workspace: { ...job, path, gitDirectory: null, objectStores: [] }, policy: { deny: ['.env'] } })
    const token = { ...blind, restricting: [workspaceSid(path), 'S-1-5-21-7-7-7-7', users, 'S-1-5-12'] }
    expect(await broken(applied, one, token)).toEqual([])
  })

  test('about writing, where the agent reads as the user does', async () => {
    const { one, applied } = await entered({ options: { reads: 'open' } })
    expect(await broken(applied, one, { ...blind, restricts: 'writing' })).toEqual([])
  })
})

describe('a wall that is not there is noticed', () => {
  test('without a restricted token nothing holds but what only administrators may do', async () => {
    const { one, applied } = await entered({ policy: { deny: ['README.md'] } })
    const found = await broken(applied, one, { ...blind, restricting: null, low: false })
    expect(found.toSorted()).toEqual(
      [
        'bookkeeping-closed',
        'git-metadata-closed',
        'host-files-unreadable',
        'host-files-unwritable',
        'policy-file-protected',
        'other-workspaces-closed',
        'denied-paths-closed',
      ].toSorted(),
    )
  })

  test('a token of another workspace, or without the workspace’s SID, cannot work', async () => {
    const { one, applied } = await entered()
    expect(await broken(applied, one, { ...blind, restricting: [workspaceSid(`${job.path}2`), users] })).toEqual(['workspace-usable'])
  })

  test('low integrity that is missing is noticed only where every user may write', async () => {
    const { one, applied } = await entered()
    for (const path of ['C:\\ProgramData', String.raw`C:\Windows\Temp`]) one.disk.at(path).dacl += `(A;CI;0x116;;;BU)`
    expect(await broken(applied, one, blind)).toEqual([])
    expect(await broken(applied, one, { ...blind, low: false })).toEqual(['shared-directories-unwritable'])
  })

  test('a token that reads as the user does, where reading is to be confined', async () => {
    const { one, applied } = await entered({ policy: { deny: ['README.md'] } })
    const found = await broken(applied, one, { ...blind, restricts: 'writing' })
    expect(found.toSorted()).toEqual(['bookkeeping-closed', 'denied-paths-closed', 'host-files-unreadable', 'other-workspaces-closed'])
  })

  const spoiled: readonly (readonly [string, (one: Stage) => void, readonly string[]])[] = [
    ['the record of the workspace is open', ({ disk }) => open(disk.at(`${outer}\\workspace.json`)), ['bookkeeping-closed']],
    ['the directory around the tree is open', ({ disk }) => open(disk.at(outer)), ['bookkeeping-closed']],
    ['.git is open', ({ disk }) => open(disk.at(`${job.path}\\.git`)), ['git-metadata-closed']],
    ['the policy file is open', ({ disk }) => open(disk.at(`${job.path}\\bulkhead.yaml`)), ['policy-file-protected']],
    ['the profile is open', ({ disk }) => open(disk.at(`${home}\\.ssh`)), ['host-files-unreadable']],
    ['the state is open', ({ disk }) => open(disk.at(state)), ['host-files-unwritable']],
    ['Program Files is open', ({ disk }) => open(disk.at(String.raw`C:\Program Files`)), ['system-unwritable']],
    ['the tree is not of low integrity', ({ disk }) => void (disk.at(job.path).label = ''), ['workspace-usable']],
    [
      'the git directory is closed',
      ({ disk }) => void (disk.at(job.gitDirectory ?? '').dacl = 'D:P(A;OICI;FA;;;SY)'),
      ['workspace-usable'],
    ],
    ['what is denied is open', ({ disk }) => open(disk.at(`${job.path}\\README.md`)), ['denied-paths-closed']],
  ]
  const outer = job.path.slice(0, -'\\tree'.length)

  test.each(spoiled)('%s', async (_name, spoil, claims) => {
    const { one, applied } = await entered({ policy: { deny: ['README.md'] } })
    spoil(one)
    expect(await broken(applied, one, blind)).toEqual(claims)
  })

  function open(node: { dacl: string; label: string }): void {
    node.dacl = `D:(A;OICI;FA;;;${user})(A;OICI;FA;;;BU)`
    node.label = 'S:(ML;OICI;NW;;;LW)'
  }

  test.each([
    ['everything succeeds', { ok: true, error: null, value: null }],
    ['everything fails for another reason', { ok: false, error: 'EIO', value: null }],
    ['everything is missing', { ok: false, error: 'ENOENT', value: null }],
  ])('where %s no wall counts as held', async (_name, outcome) => {
    const { applied } = await entered({ policy: { deny: ['README.md'] } })
    const evidence = await applied.verify({ attempt: async (attempts) => attempts.map(() => outcome) })
    expect(evidence.filter(({ held }) => held).map(({ claim }) => claim)).toEqual(outcome.ok ? ['workspace-usable'] : [])
    const none = await applied.verify({ attempt: async () => [] })
    expect(none.filter(({ held }) => held)).toEqual([])
  })
})
