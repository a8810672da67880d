import { describe, expect, test } from 'vitest'
import type { LayerPlan, Policy, WorkspaceView } from '../../../core/contracts/index.ts'
import plugin from '../../../plugins/fs-view/index.ts'
import { checkProtected, checkWorkspace } from '../../../plugins/fs-view/policy-paths.ts'
import { emptyPolicy, planContext } from '../../support/fake-request.ts'

const plain: WorkspaceView = { path: '/ws/tree', gitDirectory: null, objectStores: [], owner: { uid: 1000, gid: 1000 } }
const job: WorkspaceView = { ...plain, gitDirectory: '/ws/git', objectStores: ['/home/user/repo/.git/objects'] }

function planned(filesystem: Partial<Policy['filesystem']>, workspace = plain, options: unknown = {}): LayerPlan {
  const policy = { ...emptyPolicy, filesystem: { ...emptyPolicy.filesystem, ...filesystem } }
  return plugin.plan(policy, plugin.options.parse(options), planContext({ workspace }))
}

const claims = [
  { id: 'host-files-invisible', text: 'Files outside the workspace that the policy does not name do not exist for the agent.' },
  { id: 'host-home-invisible', text: 'Nothing in the user’s home directory exists for it but what the policy or a toolchain shows.' },
  { id: 'machine-secrets-unreadable', text: 'Password hashes, ssh keys and other secrets of the machine cannot be read.' },
  { id: 'system-read-only', text: 'The system’s tools and configuration cannot be changed.' },
  { id: 'kernel-settings-read-only', text: 'Kernel settings cannot be opened for writing.' },
  { id: 'workspace-writable', text: 'The workspace, /tmp and HOME can be written (checked so that a broken view is noticed).' },
]
const hostGit = { id: 'host-git-read-only', text: 'If the workspace is a checkout, its .git cannot be changed.' }
const root = 'new root: system tools and public configuration read-only, own /proc, /dev, /tmp and HOME (/home/agent), nothing else'
const options = { toolchains: true, resolver: 'gateway', hostGit: 'read-only' }

describe('whole plans', () => {
  test('of a plain directory', () => {
    expect(planned({})).toEqual({
      plugin: 'fs-view',
      layer: 'filesystem',
      tier: 'full',
      enforces: [...claims, hostGit],
      unsupported: [],
      steps: [
        root,
        'workspace /ws/tree, writable',
        'an existing .git of the workspace read-only',
        'toolchains on the PATH of Bulkhead, read-only',
        'Landlock over all of it where the kernel has it',
        'a canary file on the host, removed afterwards',
      ],
      data: { read: [], write: [], deny: [], temporaryBytes: null, options },
    })
  })

  test('of a job with its own git directory, shown and denied paths', () => {
    const filesystem = { read: ['/data/in'], write: ['/data/out'], deny: ['.env', '/data/in/secret'] }
    expect(planned(filesystem, job, { toolchains: false })).toEqual({
      plugin: 'fs-view',
      layer: 'filesystem',
      tier: 'full',
      enforces: [
        ...claims,
        {
          id: 'git-metadata-unreachable',
          text: 'The user’s repository (configuration, refs, hooks) does not exist for it; only objects can be read.',
        },
        { id: 'denied-paths-hidden', text: 'What the policy denies cannot be read.' },
      ],
      unsupported: [],
      steps: [
        root,
        'workspace /ws/tree, writable',
        'the agent’s own git directory over /ws/tree/.git',
        'read-only /home/user/repo/.git/objects (git objects)',
        'read-only /data/in',
        'writable /data/out',
        'hide what exists of .env',
        'hide what exists of /data/in/secret',
        'Landlock over all of it where the kernel has it',
        'a canary file on the host, removed afterwards',
      ],
      data: { ...filesystem, temporaryBytes: null, options: { ...options, toolchains: false } },
    })
  })

  test('a repository that the policy itself shows is not claimed to be unreachable', () => {
    const ids = planned({ read: ['/home/user/repo'] }, job).enforces.map(({ id }) => id)
    expect(ids).toEqual(claims.map(({ id }) => id))
  })
})

describe('what cannot be held is said', () => {
  test.each<[string, Partial<Policy['filesystem']>, readonly string[]]>([
    ['a wildcard in the workspace is held', { deny: ['*.key', 'config/**/secret', './.env'] }, []],
    ['a literal path in a shared directory is held', { read: ['/data'], deny: ['/data/secret'] }, []],
    ['a wildcard where nothing is shown is held', { read: ['/data'], deny: ['/srv/**/secret'] }, []],
    [
      'a wildcard in a shared directory',
      { read: ['/data'], write: ['/data/out'], deny: ['/data/**/secret'] },
      ['filesystem.deny "/data/**/secret": names that appear in /data, /data/out after the start would not be hidden'],
    ],
    [
      'a wildcard above a shared directory',
      { read: ['/data/in'], deny: ['/data/*/secret'] },
      ['filesystem.deny "/data/*/secret": names that appear in /data/in after the start would not be hidden'],
    ],
    ['an absolute wildcard in the workspace is held', { read: ['/data'], deny: ['/ws/tree/**/secret'] }, []],
    [
      'what gitignore would understand and we do not',
      { deny: ['secret?', '[ab]', '!keep', 'a/../b', '#x', String.raw`a\*`, ''] },
      ['secret?', '[ab]', '!keep', 'a/../b', '#x', String.raw`a\*`, ''].map(
        (text) => `filesystem.deny "${text}": only * and ** are understood`,
      ),
    ],
  ])('%s', (_name, filesystem, unsupported) => {
    expect(planned(filesystem).unsupported).toEqual(unsupported)
  })
})

describe('paths that are refused', () => {
  test.each<['read' | 'write', string, string]>([
    ['read', '/', 'is everything'],
    ['read', '/home', 'holds the whole home directory'],
    ['read', '/home/user', 'holds the whole home directory'],
    ['read', '/proc/1/root', 'belongs to the machine'],
    ['read', '/dev', 'belongs to the machine'],
    ['read', '/data/', 'is not an absolute path in its shortest form'],
    ['read', '/data/../etc', 'is not an absolute path in its shortest form'],
    ['read', 'data', 'is not an absolute path in its shortest form'],
    ['read', '//data', 'is not an absolute path in its shortest form'],
    ['read', '/da\0ta', 'is not an absolute path in its shortest form'],
    ['write', '/', 'is everything'],
    ['write', '/home', 'holds the whole home directory'],
    ['write', '/usr', 'is part of the system (/usr)'],
    ['write', '/usr/local/bin', 'is part of the system (/usr)'],
    ['write', '/etc/cron.d', 'is part of the system (/etc)'],
    ['write', '/sys/fs/cgroup', 'is part of the system (/sys)'],
    ['write', '/nix', 'is part of the system (/nix/store)'],
  ])('%s %s', (list, path, fault) => {
    expect(() => planned({ [list]: [path] })).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(fault) as string }),
    )
  })

  test.each(['/home/user2', '/home/username', '/data', '/home/user/.ssh/known_hosts', '/usr/share', '/etc/maven'])(
    '%s may be read',
    (path) => {
      expect(planned({ read: [path] }).data).toMatchObject({ read: [path] })
    },
  )
})

describe('what Bulkhead rests on', () => {
  const places = { home: '/home/user', state: '/home/user/.local/state/bulkhead', configuration: '/home/user/.config/bulkhead' }

  test.each([
    '/home/user/.local',
    '/home/user/.local/state',
    places.state,
    `${places.state}/repo-1`,
    `${places.state}/repo-1/journal.db`,
    `${places.state}/repo-1/workspaces/other/tree`,
    `${places.state}/repo-1/scratch`,
  ])('%s cannot be shown', (path) => {
    for (const policy of [
      { read: [path], write: [] },
      { read: [], write: [path] },
    ]) {
      expect(() => checkProtected(policy, places)).toThrow(expect.objectContaining({ code: 'config_invalid' }))
    }
  })

  test.each(['/home/user/.config', places.configuration, `${places.configuration}/bulkhead.yaml`])('%s cannot be written', (path) => {
    expect(() => checkProtected({ read: [], write: [path] }, places)).toThrow('holds the policy itself')
    expect(checkProtected({ read: [path], write: [] }, places)).toBeUndefined()
  })

  test('what is made for one run can', () => {
    expect(checkProtected({ read: [`${places.state}/repo-1/scratch/job-1`], write: [] }, places)).toBeUndefined()
  })

  test.each(['/', '/home', '/home/user', '/home/user/.local', '/home/user/.config', '/proc/self', '/dev/shm', '/sys'])(
    'the workspace cannot be %s',
    (path) => {
      expect(() => checkWorkspace(path, places)).toThrow(expect.objectContaining({ code: 'config_invalid' }))
    },
  )

  test.each(['/home/user/project', `${places.state}/repo-1/workspaces/job/tree`, '/srv/app', '/tmp/x', '/usr/src/app'])(
    'the workspace can be %s',
    (path) => {
      expect(checkWorkspace(path, places)).toBeUndefined()
    },
  )
})
