import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identities, said, ViewStage } from '../../support/view-stage.ts'

const walls = { filesystem: 'fs-view', token: 'token-userns' }
/** Without the view, but with the same identity: what a wall of permissions alone would hold. */
const noView = { filesystem: 'fs-none', token: 'token-userns' }
const nothing = { filesystem: 'fs-none', token: 'token-none' }

const sh = (script: string): readonly string[] => ['/bin/sh', '-c', script]
const python = (script: string): readonly string[] => ['/usr/bin/python3', '-c', `import os\n${script}`]

describe.each(identities.filter(({ possible }) => possible).map((who) => [who.name, who] as const))('as %s', (_name, who) => {
  let stage: ViewStage
  beforeAll(() => {
    stage = new ViewStage(who)
  })
  const say = async (...request: Parameters<ViewStage['enter']>): Promise<readonly ReturnType<typeof said>[]> =>
    (await stage.enter(...request)).map(said)
  afterAll(() => stage[Symbol.asyncDispose]())

  describe('what is outside', () => {
    test('can be read and written without the view', async () => {
      const results = await say(noView, attacksOn(stage))
      expect(results).toEqual([
        { code: 0, text: 'canary-77ab' },
        { code: 0, text: expect.stringContaining('secret') as string },
        { code: 0, text: '' },
        { code: 0, text: '' },
        { code: 0, text: 'canary-77ab' },
        { code: 0, text: 'ref: refs/heads/main' },
      ])
      expect(existsSync(join(stage.outside, 'created'))).toBe(true)
      rmSync(join(stage.outside, 'created'))
    })

    test('does not exist with it', async () => {
      const results = await say(walls, attacksOn(stage))
      for (const { code, text } of results) {
        expect(code).not.toBe(0)
        expect(text).toMatch(/No such file or directory|nonexistent directory|Directory nonexistent/)
      }
      expect(existsSync(join(stage.outside, 'created'))).toBe(false)
    })
  })

  describe('the machine', () => {
    const attacks = [
      python('os.open("/etc/shadow", os.O_RDONLY)'),
      // Without O_TRUNC, which something else may refuse.
      python('os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)'),
      python('os.open("/usr/bin/env", os.O_WRONLY)'),
      python('os.open("/etc/ld.so.cache", os.O_WRONLY)'),
    ]

    test.runIf(who.uid === 0)('can be changed by root without walls', async () => {
      expect(await say(nothing, attacks.slice(0, 2))).toEqual([
        { code: 0, text: '' },
        { code: 0, text: '' },
      ])
    })

    test('cannot be changed with them', async () => {
      const results = await say(walls, attacks)
      expect(results.map(({ text }) => /\w+Error/.exec(text)?.[0])).toEqual([
        'FileNotFoundError',
        'PermissionError',
        'PermissionError',
        'PermissionError',
      ])
    })
  })

  test('HOME, /tmp and /dev/shm are private and empty, and end with the job', async () => {
    const leave = sh('ls -A /tmp /dev/shm $HOME; touch /tmp/x /dev/shm/x $HOME/x; id -un; pwd; echo $HOME $TMPDIR')
    const results = await say(walls, [leave, leave])
    const text = ['/dev/shm:\n\n/home/agent:\n.cache\n.config\n.local\n\n/tmp:', 'agent', stage.tree, '/home/agent /tmp'].join('\n')
    expect(results).toEqual([
      { code: 0, text },
      { code: 0, text },
    ])
    expect(readdirSync(stage.home)).toEqual(['.ssh'])
    expect([join(tmpdir(), 'x'), '/dev/shm/x'].filter((path) => existsSync(path))).toEqual([])
  })

  test('git works as usual, and what it writes stays in the agent’s git directory', async () => {
    const script = `set -e
      git status --porcelain
      echo two > b.txt; git add b.txt; git commit -qm second
      echo three >> a.txt; git stash -q; git stash pop -q; git diff --stat | tail -1; git commit -qam third
      git switch -qc side work~1; echo side > c.txt; git add c.txt; git commit -qm side
      git rebase -q work; git log --format=%s
      git config core.fsmonitor 'touch /tmp/pwned'; printf '#!/bin/sh' > .git/hooks/post-checkout`
    const [result] = await say(walls, [sh(script)])
    expect(result).toEqual({ code: 0, text: ['1 file changed, 1 insertion(+)', 'side', 'third', 'second', 'first'].join('\n') })
    expect(readdirSync(join(stage.tree, '.git'))).toEqual([])
    expect(readFileSync(join(stage.repository, '.git/config'), 'utf8')).not.toContain('fsmonitor')
    expect(readFileSync(join(stage.gitDirectory, 'HEAD'), 'utf8')).toBe('ref: refs/heads/side\n')
    expect(statSync(join(stage.tree, 'c.txt')).uid).toBe(who.uid)
    expect(statSync(join(stage.gitDirectory, 'refs/heads/side')).uid).toBe(who.uid)
  })

  test('without a view git is told where the git directory is', async () => {
    expect(await say(nothing, [sh('git -c safe.directory=* log -1 --format=%s main 2>&1 || git rev-parse --git-dir')])).toEqual([
      { code: 0, text: expect.stringContaining(stage.gitDirectory) as string },
    ])
  })

  test('everyday tools run', async () => {
    const results = await say(walls, [
      ['node', '-p', '1 + 1'],
      ['npm', '--version'],
      ['python3', '-c', 'import ssl, ctypes, multiprocessing; print(ssl.create_default_context().cert_store_stats()["x509_ca"] > 0)'],
      sh('echo "int main(void){return 7;}" > t.c && gcc -o t t.c && ./t; echo $?; rm -f t t.c'),
      sh('TZ=Europe/Berlin date -d 2024-07-01 +%Z; locale -a | head -1; getent hosts localhost | tail -1'),
      ['/bin/bash', '-lc', 'exec 3<>/dev/null; echo ok; mkfifo f; rm f'],
    ])
    expect(results).toEqual([
      { code: 0, text: '2' },
      { code: 0, text: expect.stringMatching(/^\d+\.\d+/) as string },
      { code: 0, text: 'True' },
      { code: 0, text: '7' },
      { code: 0, text: expect.stringMatching(/^CEST\nC[^]*localhost/) as string },
      { code: 0, text: 'ok' },
    ])
  })

  test('the policy’s paths are shown as it says, and what it denies is hidden', async () => {
    const [read, write] = [join(stage.base, 'in'), join(stage.base, 'out')]
    for (const path of [read, write]) {
      mkdirSync(path, { recursive: true, mode: 0o755 })
      for (const name of ['file', 'secret']) writeFileSync(join(path, name), `${name}\n`, { mode: 0o600 })
    }
    writeFileSync(join(stage.tree, '.env'), 'TOKEN\n')
    for (const path of [
      read,
      write,
      join(stage.tree, '.env'),
      ...[read, write].flatMap((one) => ['file', 'secret'].map((name) => join(one, name))),
    ]) {
      chown(path, who)
    }
    const filesystem = { read: [read], write: [write], deny: ['.env', join(read, 'secret')] }
    const results = await say(
      walls,
      [
        sh(`cat ${read}/file; echo x > ${read}/file`),
        sh(`cat ${write}/file && echo more >> ${write}/file`),
        sh(`cat ${read}/secret`),
        sh('cat .env'),
        sh('chmod 600 .env; mv .env other; rm -f .env; cat .env other'),
      ],
      { filesystem },
    )
    expect(results).toEqual([
      { code: 2, text: expect.stringMatching(/^file\n.*Read-only file system$/) as string },
      { code: 0, text: 'file' },
      { code: 1, text: `cat: ${read}/secret: Permission denied` },
      { code: 1, text: 'cat: .env: Permission denied' },
      { code: 1, text: expect.not.stringContaining('TOKEN') as string },
    ])
    expect(readFileSync(join(write, 'file'), 'utf8')).toBe('file\nmore\n')
    expect(await say(walls, [sh('cat .env')], { filesystem: { read: [read] } })).toEqual([{ code: 0, text: 'TOKEN' }])
  })

  test('a path that has become a link is refused', async () => {
    const link = join(stage.base, 'link')
    symlinkSync(stage.home, link)
    const [result] = await say(walls, [['true']], { filesystem: { read: [join(link, '.ssh')] } })
    expect(result).toEqual({
      code: 'config_invalid',
      text: expect.stringContaining(`leads through a link to "${stage.home}/.ssh"`) as string,
    })
  })

  test('the repository’s own .git is read-only in a workspace without one for the agent', async () => {
    const workspace = { path: stage.repository, gitDirectory: null, objectStores: [] }
    const attack = sh(
      'git status --porcelain; echo x > .git/hooks/post-checkout; mv .git other; git config core.fsmonitor evil; echo x > new; cat new',
    )
    const [result] = await say(walls, [attack], { workspace })
    expect(result?.text).toMatch(/^x\n.*Read-only file system\n.*busy\n.*Read-only file system$/)
    expect(existsSync(join(stage.repository, '.git/hooks/post-checkout'))).toBe(false)
    expect(readFileSync(join(stage.repository, '.git/config'), 'utf8')).not.toContain('fsmonitor')
    const open = { ...walls, options: { hostGit: 'writable' } }
    expect(await say(open, [sh('git config core.fsmonitor evil')], { workspace })).toEqual([{ code: 0, text: '' }])
  })
})

function attacksOn(stage: ViewStage): readonly (readonly string[])[] {
  return [
    sh(`cat ${stage.secret}`),
    sh(`ls ${stage.outside}`),
    sh(`echo x > ${stage.outside}/created`),
    python(`os.open("${stage.outside}/victim", os.O_WRONLY)`),
    sh(`cat ${stage.home}/.ssh/id`),
    sh(`cat ${stage.repository}/.git/HEAD`),
  ]
}

function chown(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid)
}
