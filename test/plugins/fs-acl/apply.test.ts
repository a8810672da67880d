import { describe, expect, test } from 'vitest'
import type { LaunchSpec, WorkspaceView } from '../../../core/contracts/index.ts'
import { workspaceSid } from '../../../plugins/fs-acl/sid.ts'
import { home, job, machine, makeWorkspace, programs, stage, state, variables } from './stage.ts'
import type { Stage } from './stage.ts'

const sid = workspaceSid(job.path)
const project = String.raw`C:\Users\me\project`
const checkout: WorkspaceView = { ...job, path: project, gitDirectory: null, objectStores: [] }
const projectSid = workspaceSid(project)

const spec: LaunchSpec = {
  command: { argv: ['node'], directory: job.path, environment: { Path: String.raw`C:\own`, GIVEN: 'yes' } },
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

async function ready(): Promise<Stage> {
  const one = stage()
  await makeWorkspace(one)
  return one
}

const noPrivate = (log: readonly string[]): readonly string[] => log.filter((line) => !/\\Bulkhead\\(?:private|labels)/.test(line))

describe('a job', () => {
  test('opens the way, the objects and the toolchain, and closes the policy file; nothing in the workspace is walked', async () => {
    const one = await ready()
    await one.apply()
    const pass = `(A;;0x1000a0;;;${sid})`
    expect(noPrivate(one.disk.log).map((line) => line.replace(/ D:.*/, ''))).toEqual(
      [
        String.raw`make ${job.path}\bulkhead.yaml`,
        // The toolchain of PATH and the objects of the user's repository.
        String.raw`access ${home}\tools\node`,
        String.raw`access ${home}\tools\node\node.exe`,
        String.raw`access ${home}\tools\node\node_modules`,
        String.raw`access ${home}\tools\node\node_modules\npm`,
        String.raw`access ${home}\tools\node\node_modules\npm\index.js`,
        String.raw`access ${home}\project\.git\objects`,
        String.raw`access ${home}\project\.git\objects\pack`,
        String.raw`access ${home}\project\.git\objects\pack\one.pack`,
        // C:\Users can be listed by every user, so the attributes of what is in it can be seen.
        String.raw`access ${home}\AppData`,
        String.raw`access ${home}\AppData\Local`,
        String.raw`access ${home}\AppData\Local\bulkhead`,
        String.raw`access ${home}\AppData\Local\bulkhead\repo-1`,
        String.raw`access ${home}\AppData\Local\bulkhead\repo-1\workspaces`,
        String.raw`access ${home}\tools`,
        String.raw`access ${home}\project`,
        String.raw`access ${home}\project\.git`,
      ].toSorted(inOrderOf(noPrivate(one.disk.log))),
    )
    expect(one.disk.at(`${home}\\AppData`).dacl).toContain(pass)
    expect(one.disk.at(`${home}\\tools\\node\\node.exe`).dacl).toContain(`(A;ID;0x1200a9;;;${sid})`)
    expect(one.disk.at(`${home}\\tools\\node\\node_modules`).dacl).toContain(`(A;OICIID;0x1200a9;;;${sid})`)
    for (const closed of ['.ssh', '.ssh\\id_rsa', 'Documents', 'project\\.git\\HEAD']) {
      expect(one.disk.at(`${home}\\${closed}`).dacl).not.toContain(sid)
    }
  })

  test('contributes its SID, an environment of its own and the git directory; what is set already stays', async () => {
    const one = await ready()
    const applied = await one.apply()
    const { command, filesystem } = applied.contribute(spec)
    expect(filesystem).toEqual({ mechanism: 'windows-acl', workspaceSid: sid })
    const own = command.environment['USERPROFILE'] ?? ''
    expect(own).toMatch(/^C:\\Users\\me\\AppData\\Local\\Bulkhead\\private\\[0-9a-f]{32}\\home$/)
    expect(command.environment).toEqual({
      GIVEN: 'yes',
      SystemRoot: variables['SystemRoot'],
      SystemDrive: 'C:',
      ProgramFiles: variables['ProgramFiles'],
      ProgramData: variables['ProgramData'],
      PUBLIC: variables['PUBLIC'],
      USERPROFILE: own,
      HOME: own,
      HOMEDRIVE: 'C:',
      HOMEPATH: own.slice(2),
      APPDATA: `${own}\\AppData\\Roaming`,
      LOCALAPPDATA: `${own}\\AppData\\Local`,
      TEMP: `${own}\\AppData\\Local\\Temp`,
      TMP: `${own}\\AppData\\Local\\Temp`,
      GIT_DIR: job.gitDirectory,
      GIT_WORK_TREE: job.path,
      PATH: [
        String.raw`C:\own`,
        String.raw`C:\Windows\System32`,
        String.raw`C:\Windows`,
        String.raw`C:\Users\me\tools\node`,
        String.raw`C:\Windows\System32\Wbem`,
        String.raw`C:\Windows\System32\WindowsPowerShell\v1.0`,
      ].join(';'),
    })
    expect(one.disk.at(`${own}\\AppData\\Local\\Temp`).dacl).toContain(`(A;OICIID;0x1301bf;;;${sid})`)
    expect(applied.contribute(spec)).toEqual(applied.contribute(spec))
  })

  test('is refused in a workspace that was not prepared, or whose .git is not closed any more', async () => {
    const bare = stage()
    bare.disk.lay({ [job.path]: null, [job.gitDirectory ?? '']: null })
    await expect(bare.apply()).rejects.toMatchObject({ code: 'workspace_failed', message: `${job.path} was not made for this environment` })
    const one = await ready()
    one.disk.at(`${job.path}\\.git`).dacl = one.disk.at(job.path).dacl
    await expect(one.apply()).rejects.toMatchObject({
      code: 'workspace_failed',
      message: expect.stringContaining('closed directory') as string,
    })
  })

  test('is undone letter by letter, and twice is as good as once', async () => {
    const one = await ready()
    const before = one.disk.snapshot()
    const applied = await one.apply({ policy: { read: [`${home}\\Documents`], deny: ['README.md', 'secret.env'] } })
    expect(one.disk.snapshot()).not.toEqual(before)
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })
})

/** The order that the log has them in: what matters here is which they are. */
function inOrderOf(log: readonly string[]): (one: string, other: string) => number {
  const place = (line: string): number => log.findIndex((entry) => entry.replace(/ D:.*/, '') === line)
  return (one, other) => place(one) - place(other)
}

describe('a directory that was there before (bulkhead exec)', () => {
  test('is opened entry by entry; .git is closed to changes, and everything is closed again', async () => {
    const one = stage()
    one.disk.lay({ [String.raw`${project}\src\a.ts`]: 'a', [String.raw`${project}\.git\hooks\pre-commit`]: '#!/bin/sh' })
    const before = one.disk.snapshot()
    const applied = await one.apply({ workspace: checkout })
    const list = (path: string): string => one.disk.at(`${project}\\${path}`).dacl
    expect(one.disk.at(project).dacl).toContain(`(A;;0x1201bf;;;${projectSid})(A;OICIIO;0x1301bf;;;${projectSid})`)
    expect(list('src\\a.ts')).toContain(`(A;ID;0x1301bf;;;${projectSid})`)
    expect(one.disk.at(`${project}\\src\\a.ts`).label).toBe('S:(ML;ID;NW;;;LW)')
    expect(list('.git')).toMatch(new RegExp(`^D:AI\\(D;OICI;0xd0156;;;${projectSid}\\)`))
    expect(list('.git\\hooks\\pre-commit')).toMatch(new RegExp(`^D:AI\\(D;;0xd0156;;;${projectSid}\\)`))
    expect(list('bulkhead.yaml')).toMatch(/^D:P/)
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('gets an empty .git in place of an absent one, and what the agent makes meanwhile is closed again too', async () => {
    const one = stage()
    const path = String.raw`C:\Users\me\plain`
    one.disk.lay({ [path]: null })
    const applied = await one.apply({ workspace: { ...checkout, path } })
    expect(one.disk.at(`${path}\\.git`).dacl).toMatch(/^D:P/)
    one.disk.lay({ [`${path}\\made\\by-agent.txt`]: 'x' })
    expect(one.disk.at(`${path}\\made\\by-agent.txt`).dacl).toContain(workspaceSid(path))
    await applied[Symbol.asyncDispose]()
    for (const name of ['made', 'made\\by-agent.txt']) expect(one.disk.at(`${path}\\${name}`)).toMatchObject({ label: '' })
    expect(one.disk.snapshot().filter((line) => line.includes(workspaceSid(path)))).toEqual([])
    expect(one.disk.entries(path)).toEqual([{ name: 'made', directory: true, link: false }])
  })

  test('keeps .git open when that is asked for', async () => {
    const one = stage()
    await one.apply({ workspace: checkout, options: { hostGit: 'writable' } })
    expect(one.disk.at(`${project}\\.git\\HEAD`).dacl).toContain(`(A;ID;0x1301bf;;;${projectSid})`)
    expect(one.disk.at(`${project}\\.git\\HEAD`).dacl).not.toContain('(D;')
  })

  test.each<[string, (one: Stage) => WorkspaceView, RegExp]>([
    ['the home directory', () => ({ ...checkout, path: home }), /holds the home directory/],
    ['a drive', () => ({ ...checkout, path: 'C:\\' }), /is no place for one|holds the/],
    ['a part of the system', () => ({ ...checkout, path: String.raw`C:\Windows\Temp` }), /is no place/],
    ['the state of Bulkhead', () => ({ ...checkout, path: `${home}\\AppData` }), /holds the state of Bulkhead/],
    ['a git directory', () => ({ ...checkout, path: `${project}\\.git` }), /is a git directory itself/],
    [
      'one whose .git is a link',
      ({ disk }) => {
        disk.lay({ [String.raw`C:\Users\me\linked`]: null })
        disk.link(String.raw`C:\Users\me\linked\.git`, project)
        return { ...checkout, path: String.raw`C:\Users\me\linked` }
      },
      /is a link, so that it cannot be protected/,
    ],
  ])('is refused when it is %s', async (_name, place, message) => {
    const one = stage()
    one.disk.lay({ [`${project}\\.git\\refs\\heads`]: null })
    const workspace = place(one)
    await expect(one.apply({ workspace })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(message) as string,
    })
  })

  test('is refused when it is too big, before anything was touched', async () => {
    const one = stage()
    one.disk.lay(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${project}\\file-${index}`, ''])))
    const before = one.disk.snapshot()
    await expect(one.apply({ workspace: checkout, options: { entries: 20 } })).rejects.toMatchObject({
      code: 'config_invalid',
      message: `"${project}" holds more than 20 files, each of which would have to be opened to the agent`,
      details: { remedy: expect.stringContaining('"entries"') as string },
    })
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('two launches in it at once: each takes away its own, and the last one puts the label back', async () => {
    const one = stage()
    const before = one.disk.snapshot()
    const [first, second] = [await one.apply({ workspace: checkout }), await one.apply({ workspace: checkout })]
    await first[Symbol.asyncDispose]()
    expect(one.disk.at(`${project}\\.git\\HEAD`)).toMatchObject({ label: 'S:(ML;ID;NW;;;LW)' })
    expect(one.disk.at(project).dacl.split(projectSid)).toHaveLength(3)
    await second[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })
})

describe('the policy', () => {
  test('read and write of files and directories, without what lies in another one', async () => {
    const one = await ready()
    one.disk.lay({ [`${home}\\data\\a.txt`]: 'a', [`${home}\\data\\deep\\b.txt`]: 'b', [`${home}\\cache\\c`]: 'c' })
    const before = one.disk.snapshot()
    const applied = await one.apply({
      policy: {
        read: [`${home}\\data`, `${home}\\data\\deep`, `${home}\\Documents\\letter.txt`, `${home}\\absent`],
        write: [`${home}\\cache`],
      },
    })
    const list = (path: string): string => one.disk.at(`${home}\\${path}`).dacl
    expect(list('data')).toContain(`(A;OICI;0x1200a9;;;${sid})`)
    expect(list('data\\deep\\b.txt').split(`(A;ID;0x1200a9;;;${sid})`)).toHaveLength(2)
    expect(list('Documents\\letter.txt')).toContain(`(A;;0x1200a9;;;${sid})`)
    expect(list('Documents')).not.toContain('0x1200a9')
    expect(list('cache\\c')).toContain(`(A;ID;0x1301bf;;;${sid})`)
    expect(one.disk.at(`${home}\\cache`).label).toBe('S:(ML;OICI;NW;;;LW)')
    expect(one.disk.at(`${home}\\data`).label).toBe('')
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('what is protected against inheritance stays closed with its content, and what has another name elsewhere is only read', async () => {
    const one = await ready()
    one.disk.lay({ [`${home}\\data\\closed\\x`]: '', [`${home}\\data\\twin`]: '' })
    one.disk.at(`${home}\\data\\closed`).dacl = 'D:P(A;OICI;FA;;;SY)'
    one.disk.at(`${home}\\data\\twin`).names = 2
    const before = one.disk.snapshot()
    const applied = await one.apply({ policy: { write: [`${home}\\data`] } })
    expect(one.disk.at(`${home}\\data\\closed`).dacl).toBe('D:P(A;OICI;FA;;;SY)')
    expect(one.disk.at(`${home}\\data\\closed\\x`).dacl).not.toContain(sid)
    expect(one.disk.at(`${home}\\data\\twin`).dacl).toContain(`(A;ID;0x1200a9;;;${sid})`)
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('a label that was there before is back afterwards', async () => {
    const one = await ready()
    one.disk.lay({ [`${home}\\data\\low`]: '' })
    one.disk.at(`${home}\\data`).label = 'S:(ML;;NW;;;ME)'
    one.disk.at(`${home}\\data\\low`).label = 'S:(ML;;NW;;;LW)'
    const before = one.disk.snapshot()
    const applied = await one.apply({ policy: { write: [`${home}\\data`] } })
    expect(one.disk.at(`${home}\\data`).label).toBe('S:(ML;OICI;NW;;;LW)')
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('what every user may read needs nothing', async () => {
    const one = await ready()
    await one.apply({ policy: { read: [String.raw`C:\Program Files\Git`] } })
    expect(one.disk.log.filter((line) => line.includes('Program Files'))).toEqual([])
  })

  test('what is denied is closed where it exists, and a plain name is taken while it is absent', async () => {
    const one = await ready()
    one.disk.lay({ [`${job.path}\\keys\\a.pem`]: 'k', [`${job.path}\\deep\\.env`]: 'T=1' })
    const before = one.disk.snapshot()
    const applied = await one.apply({ policy: { deny: ['*.pem', '.env', 'src/', 'absent.txt'] } })
    const list = (path: string): string => one.disk.at(`${job.path}\\${path}`).dacl
    for (const path of ['keys\\a.pem', 'deep\\.env', 'src\\a.ts']) expect(list(path)).toMatch(new RegExp(`^D:AI\\(D;;0x1f01ff;;;${sid}\\)`))
    expect(list('src')).toMatch(new RegExp(`^D:AI\\(D;OICI;0x1f01ff;;;${sid}\\)`))
    for (const taken of ['.env', 'absent.txt']) {
      expect(one.disk.entries(`${job.path}\\${taken}`)).toEqual([])
      expect(list(taken)).toMatch(/^D:P/)
      expect(list(taken)).not.toContain(sid)
    }
    expect(one.disk.entries(job.path)?.map(({ name }) => name)).not.toContain('*.pem')
    await applied[Symbol.asyncDispose]()
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('a placeholder that something was put into stays', async () => {
    const one = await ready()
    const applied = await one.apply({ policy: { deny: ['absent.txt'] } })
    one.disk.lay({ [`${job.path}\\absent.txt\\of the user.txt`]: 'x' })
    await applied[Symbol.asyncDispose]()
    expect(one.disk.entries(`${job.path}\\absent.txt`)).toHaveLength(1)
  })

  test.each<[string, object, RegExp]>([
    ['a drive', { read: ['C:\\'] }, /is a whole drive/],
    ['the whole home', { read: [home] }, /holds the whole home directory/],
    ['what is above it', { write: [String.raw`C:\Users`] }, /holds the whole home directory/],
    ['another spelling', { read: [String.raw`c:\data`] }, /has another spelling, C:\\data/],
    ['slashes', { read: ['C:/data'] }, /has another spelling/],
    ['a network share', { read: [String.raw`\\server\share`] }, /names another computer/],
    ['a stream', { read: [String.raw`C:\data\a.txt:s`] }, /names a stream/],
    ['a device', { write: [String.raw`C:\data\NUL`] }, /has the name of a device/],
    ['the system', { write: [String.raw`C:\Windows\System32`] }, /is part of the system/],
    ['what everybody may write to', { write: [String.raw`C:\ProgramData\x`] }, /is part of the system/],
    ['journals', { read: [`${state}\\repo-1`] }, /is state of Bulkhead/],
    ['the state', { read: [String.raw`C:\Users\me\AppData\Local`] }, /holds the state of Bulkhead/],
    ['the policy itself', { write: [String.raw`C:\Users\me\AppData\Roaming\bulkhead`] }, /holds the policy itself/],
  ])('is refused when it names %s', async (_name, policy, message) => {
    const one = await ready()
    await expect(async () => one.apply({ policy })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(message) as string,
    })
    expect(one.receipts).toEqual([])
  })

  test('places are known by where they really are, however the environment spells them', async () => {
    const disk = machine()
    disk.lay({ [String.raw`D:\state\repo-1\secret`]: '' })
    disk.link(String.raw`C:\st`, String.raw`D:\state`)
    const one = stage(disk, { ...variables, BULKHEAD_STATE: String.raw`C:\st` })
    await makeWorkspace(one)
    await expect(one.apply({ policy: { read: [String.raw`D:\state\repo-1`] } })).rejects.toMatchObject({
      message: expect.stringContaining('is state of Bulkhead') as string,
    })
  })

  test('scratch directories of runs may be named', async () => {
    const one = await ready()
    const scratch = `${state}\\repo-1\\scratch\\job_1-1`
    one.disk.lay({ [`${scratch}\\prompt.txt`]: 'do it' })
    await one.apply({ policy: { read: [scratch] } })
    expect(one.disk.at(`${scratch}\\prompt.txt`).dacl).toContain(`(A;ID;0x1200a9;;;${sid})`)
  })

  test('a root that is a link, or that lies behind one, is refused', async () => {
    const one = await ready()
    one.disk.link(String.raw`C:\Users\me\link`, String.raw`C:\Users\me\.ssh`)
    await expect(one.apply({ policy: { read: [String.raw`C:\Users\me\link`] } })).rejects.toMatchObject({
      message: expect.stringContaining('is a link') as string,
    })
    await expect(one.apply({ policy: { deny: ['*.lnk'], read: [] } })).resolves.toBeDefined()
    one.disk.link(`${job.path}\\x.lnk`, String.raw`C:\Users\me\.ssh`)
    await expect(one.apply({ policy: { deny: ['*.lnk'] } })).rejects.toMatchObject({
      message: expect.stringContaining('is a link') as string,
    })
  })
})

describe('toolchains', () => {
  test.each<[string, Readonly<Record<string, string | null>>, string, readonly string[]]>([
    [
      'a directory of programs alone where the prefix holds credentials',
      { [`${home}\\.cargo\\bin\\cargo.exe`]: '', [`${home}\\.cargo\\credentials.toml`]: '' },
      `${home}\\.cargo\\bin`,
      [`${home}\\.cargo\\bin`],
    ],
    ['the prefix of a directory of programs', { [`${home}\\go\\1.22\\bin\\go.exe`]: '' }, `${home}\\go\\1.22\\bin`, [`${home}\\go\\1.22`]],
    ['never the home directory', { [`${home}\\bin\\x.exe`]: '' }, `${home}\\bin`, [`${home}\\bin`]],
    ['never a home directory on PATH', {}, home, []],
    ['nothing that holds credentials', { [`${home}\\stuff\\id_rsa`]: '' }, `${home}\\stuff`, []],
    ['nothing below a directory of credentials', { [`${home}\\.ssh\\bin\\x.exe`]: '' }, `${home}\\.ssh\\bin`, []],
    ['nothing for what is relative, on the network or absent', {}, String.raw`.;bin;\\server\tools;C:\absent`, []],
    ['nothing for what everybody may read', {}, String.raw`C:\Program Files\Git\cmd`, []],
  ])('opens %s', async (_name, files, path, opened) => {
    const disk = machine().lay(files)
    const one = stage(disk)
    await makeWorkspace(one)
    const before = new Set(disk.snapshot())
    Object.assign(one, stageOf(disk, path))
    await one.apply()
    const changed = disk.snapshot().filter((line) => !before.has(line) && line.includes(`0x1200a9;;;${sid}`))
    const roots = changed
      .map((line) => line.slice(0, line.search(/ (?:directory|") ?/)))
      .filter((line) => !/\\tools\\|\\project\\|bulkhead\.yaml/.test(line))
    expect(roots.filter((root) => !roots.some((other) => root.startsWith(`${other}\\`)))).toEqual(opened)
  })

  test('a toolchain that is too big is left out, and so is its directory on PATH', async () => {
    const one = await ready()
    one.disk.lay(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${home}\\tools\\node\\lib-${index}`, ''])))
    const applied = await one.apply({ options: { entries: 50 } })
    expect(applied.contribute(spec).command.environment['PATH']).not.toContain('tools')
    expect(one.disk.at(`${home}\\tools\\node\\node.exe`).dacl).not.toContain(sid)
  })

  test('what agents run of Bulkhead itself can be read where it lies in the profile, and nothing beside it', async () => {
    const one = await ready()
    one.disk.lay({ [programs[1] ?? '']: 'MZ', [String.raw`${home}\npm\bulkhead\package.json`]: '{}' })
    const applied = await one.apply({ options: { toolchains: false } })
    expect(one.disk.at(programs[1] ?? '').dacl).toContain(`0x1200a9;;;${sid}`)
    expect(one.disk.at(String.raw`${home}\npm\bulkhead\package.json`).dacl).not.toContain(sid)
    expect(one.disk.at(String.raw`${home}\npm`).dacl).toContain(`(A;;0x1000a0;;;${sid})`)
    await applied[Symbol.asyncDispose]()
    expect(one.disk.at(programs[1] ?? '').dacl).not.toContain(sid)
  })

  test('what is closed even to the user is passed over', async () => {
    const disk = machine().lay({ [`${home}\\shut\\tool.exe`]: '' })
    const one = stageOf(disk, `${home}\\shut;C:\\Windows`)
    await makeWorkspace(one)
    disk.shut.add(`${home}\\shut`.toLowerCase())
    const applied = await one.apply()
    expect(applied.contribute(spec).command.environment['PATH']).not.toContain('shut')
  })

  test('none when they are not wanted', async () => {
    const one = await ready()
    const applied = await one.apply({ options: { toolchains: false } })
    expect(applied.contribute(spec).command.environment['PATH']).not.toContain('tools')
  })
})

function stageOf(disk: Stage['disk'], path: string): Stage {
  return stage(disk, { ...variables, Path: path })
}
