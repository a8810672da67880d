import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Attempt, LaunchSpec, ViewEntry } from '../../core/contracts/index.ts'
import { createHost, createLauncher } from '../../native/index.ts'
import type { NativeLauncher } from '../../native/index.ts'
import { bareParts, command, loopback, shell, token, view, walls, workspace } from '../support/native-specs.ts'
import { runToEnd, textOf } from '../support/native-run.ts'

const root = process.getuid?.() === 0

const to = (address: string, port: number): Attempt => ({ op: 'connect', address, port })

/** Whoever runs this file, the same must hold; `launch.it.test.ts` runs it a second time as an ordinary user. */
export function launchCases(): void {
  let launcher: NativeLauncher
  let directory: string
  beforeAll(() => {
    launcher = createLauncher()
    directory = mkdtempSync('/var/tmp/bulkhead-native-')
    chmodSync(directory, 0o755)
  })
  afterAll(async () => {
    await launcher[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  const attempt = async (spec: LaunchSpec, attempts: readonly Attempt[]) => {
    await using sandbox = await launcher.launch(spec, { kind: 'pipes' })
    return await sandbox.attempt(attempts)
  }

  describe.each([
    ['no layer', () => bareParts],
    ['every layer', walls],
  ] as const)('%s', (_, parts) => {
    test.each([
      ['its exit code', ['sh', '-c', 'exit 7'], { code: 7, signal: null }],
      ['success', ['true'], { code: 0, signal: null }],
      ['its signal', ['sh', '-c', 'kill -TERM $$'], { code: null, signal: 'SIGTERM' }],
    ])('a command ends with %s', async (_name, argv, end) => {
      expect(await runToEnd(launcher, { ...parts(), command: command(argv) })).toEqual({ ...end, killedByRule: null, out: '', error: '' })
    })

    test('stdin, stdout and stderr are carried whole', async () => {
      const input = 'line\n'.repeat(400_000)
      const ran = await runToEnd(launcher, { ...parts(), command: shell('tee /dev/stderr') }, input)
      expect([ran.code, ran.out === input, ran.error === input]).toEqual([0, true, true])
    })

    test('/dev/stdout and /dev/stderr can be opened again', async () => {
      const ran = await runToEnd(launcher, { ...parts(), command: shell('echo a >/dev/stdout; echo b >/dev/stderr') })
      expect(ran).toEqual({ code: 0, signal: null, killedByRule: null, out: 'a\n', error: 'b\n' })
    })

    test('the environment is the given one and nothing else; arguments are not interpreted', async () => {
      const ran = await runToEnd(launcher, { ...parts(), command: command(['env'], { A: '$(id) ; "x"' }) })
      expect(ran.out.trim().split('\n').toSorted()).toEqual(['A=$(id) ; "x"', 'PATH=/usr/bin:/bin'])
    })

    test.each([
      ['is not there', ['no-such-program'], 'launch_not_found'],
      ['is not there by path', ['/usr/bin/no-such-program'], 'launch_not_found'],
      ['cannot be executed', ['/usr/share'], 'launch_not_executable'],
    ])('a command that %s is refused and leaves nothing', async (_name, argv, code) => {
      await using sandbox = await launcher.launch({ ...parts(), command: command(argv) }, { kind: 'pipes' })
      await expect(sandbox.start()).rejects.toMatchObject({ code })
      expect((await sandbox.exited).code).toBe(code === 'launch_not_found' ? 127 : 126)
    })

    test('signals arrive with their default meaning', async () => {
      await using sandbox = await launcher.launch({ ...parts(), command: command(['sleep', '20']) }, { kind: 'pipes' })
      await sandbox.start()
      sandbox.signal('SIGTERM')
      expect(await sandbox.exited).toEqual({ code: null, signal: 'SIGTERM', killedByRule: null })
    })

    test('no signal is ignored or blocked', async () => {
      const { out } = await runToEnd(launcher, { ...parts(), command: command(['grep', '-E', '^Sig(Ign|Blk)', '/proc/self/status']) })
      // Node itself ignores none below 32; 33 and 34 belong to the C library of whoever started us.
      const masks = out.match(/[0-9a-f]{16}/g) ?? []
      expect(masks.map((mask) => BigInt(`0x${mask}`) & 0x7fff_ffffn)).toEqual([0n, 0n])
    })

    test('no descriptor is inherited but 0, 1 and 2', async () => {
      const { out } = await runToEnd(launcher, { ...parts(), command: command(['ls', '-1', '/proc/self/fd']) })
      // ls itself has the directory open as 3.
      expect(out.trim().split('\n')).toEqual(['0', '1', '2', '3'])
    })

    test('kill ends it before it was started as well', async () => {
      const sandbox = await launcher.launch({ ...parts(), command: command(['true']) }, { kind: 'pipes' })
      sandbox.kill()
      expect((await sandbox.exited).signal).toBe('SIGKILL')
      await expect(sandbox.start()).rejects.toMatchObject({ code: 'native_failed' })
      await sandbox[Symbol.asyncDispose]()
    })
  })

  test('it is never uid 0, has no capability and gains none', async () => {
    const { out } = await runToEnd(launcher, {
      ...walls(),
      command: shell('id -u; cat /proc/self/uid_map; grep -E "^(Cap|NoNew|Groups)" /proc/self/status'),
    })
    const [uid, map = '', ...status] = out.trim().split('\n')
    expect(uid).toBe(root ? '1000' : String(process.getuid?.()))
    expect(Number(map.trim().split(/\s+/)[1])).toBeGreaterThan(0)
    const rows = Object.fromEntries(status.map((line) => line.split(/:\s*/) as [string, string]))
    const none = '0'.repeat(16)
    expect(rows).toMatchObject({ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none, NoNewPrivs: '1' })
    if (root) expect(rows['Groups']?.trim()).toBe('')
  })

  test('kernel settings cannot be opened for writing, even without truncating', async () => {
    const paths = ['/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/sys/user/max_user_namespaces']
    const spec = { ...bareParts, token: token(), filesystem: view(), command: command(['true']) }
    const outcomes = await attempt(
      spec,
      paths.map((path) => ({ op: 'write', path })),
    )
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, false])
    // Control: reading works, so it was not the path.
    expect((await attempt(spec, [{ op: 'read', path: '/proc/sys/kernel/core_pattern' }])).map(({ ok }) => ok)).toEqual([true])
    if (root) {
      const control = await attempt({ ...bareParts, command: command(['true']) }, [{ op: 'write', path: '/proc/sys/kernel/core_pattern' }])
      expect(control).toEqual([{ ok: true, error: null, value: null }])
    }
  })

  test('the first process cannot be traced or signalled from inside', async () => {
    const { out } = await runToEnd(launcher, {
      ...bareParts,
      token: token(),
      filesystem: view(),
      command: shell(
        'kill -9 1; grep -E "^(Cap(Eff|Bnd)|NoNew)" /proc/1/status; cat /proc/1/environ 2>&1 | head -c 0; ls /proc/1/fd 2>&1 | wc -w; echo alive',
      ),
    })
    expect(out).toContain('alive')
    expect(out).toMatch(/CapEff:\s*0{16}/)
    expect(out).toMatch(/CapBnd:\s*0{16}/)
  })

  test('a view shows what it lists and nothing else, and its root is read-only', async () => {
    const { out } = await runToEnd(launcher, {
      ...bareParts,
      token: token(),
      filesystem: view({ kind: 'file', target: '/etc/name', content: 'given', mode: 0o444 }),
      command: shell(
        'ls -A / | tr "\\n" " "; cat /etc/name; touch /x 2>/dev/null || echo " root-read-only"; touch /usr/x 2>/dev/null || echo usr-read-only; ls /root /home 2>/dev/null | wc -l',
      ),
    })
    const [first = '', ...rest] = out.trim().split('\n')
    expect(first).toMatch(/^(bin )?dev etc (lib )?(lib64 )?proc (sbin )?tmp usr given root-read-only$/)
    expect(rest).toEqual(['usr-read-only', '0'])
  })

  describe('a workspace', () => {
    let tree: string
    beforeAll(() => {
      tree = `${directory}/tree`
      mkdirSync(`${tree}/.git`, { recursive: true })
      mkdirSync(`${directory}/git`)
      writeFileSync(`${tree}/.env`, 'secret')
      writeFileSync(`${tree}/file`, 'host')
      mkdirSync(`${tree}/private`)
      writeFileSync(`${tree}/private/key`, 'secret')
      symlinkSync('/usr/share', `${tree}/link`)
      symlinkSync(tree, `${directory}/alias`)
    })
    const run = (script: string, ...more: readonly ViewEntry[]) =>
      runToEnd(launcher, {
        ...bareParts,
        token: token(),
        filesystem: view(workspace(tree), ...more),
        command: shell(`cd ${tree}; ${script}`),
      })

    test('what the agent makes there belongs to the owner on disk', async () => {
      const ran = await run('echo made > new && stat -c %u new')
      expect(ran.out).toBe(`${root ? 1000 : process.getuid?.()}\n`)
      expect([readFileSync(`${tree}/new`, 'utf8'), lstatSync(`${tree}/new`).uid]).toEqual(['made\n', process.getuid?.()])
    })

    test('set-id bits and devices mean nothing there', async () => {
      const { out } = await run(`grep " ${tree} " /proc/self/mountinfo`)
      expect(out).toContain('nosuid,nodev')
    })

    test('a git directory is mounted over the empty one, on the inside only', async () => {
      await run('echo inside > .git/HEAD', workspace(`${directory}/git`, `${tree}/.git`))
      expect([readdirSync(`${tree}/.git`), readdirSync(`${directory}/git`)]).toEqual([[], ['HEAD']])
    })

    test('hidden files and directories cannot be read, written or uncovered', async () => {
      const hidden: ViewEntry[] = ['.env', 'private', 'missing'].map((name) => ({ kind: 'hide', target: `${tree}/${name}` }))
      const script = 'cat .env; cat private/key; chmod 700 .env private; rm -f .env; rmdir private; mv private p; cat .env private/key'
      expect(await run(`cat .env private/key`)).toMatchObject({ code: 0, out: 'secretsecret' })
      expect(await run(script, ...hidden)).toMatchObject({ code: 1, out: '' })
      expect([existsSync(`${tree}/missing`), readFileSync(`${tree}/.env`, 'utf8')]).toEqual([false, 'secret'])
    })

    test('a file of the view covers one on the host without changing it', async () => {
      const file: ViewEntry = { kind: 'file', target: `${tree}/file`, content: 'view', mode: 0o444 }
      expect((await run('cat file; echo changed > file', file)).out).toBe('view')
      expect(readFileSync(`${tree}/file`, 'utf8')).toBe('host')
    })

    test.each<[string, ViewEntry['kind'], string]>([
      ['directory', 'directory', 'made'],
      ['file', 'file', 'made'],
      ['mount point', 'tmpfs', 'made'],
      ['symlink', 'symlink', 'made'],
    ])('no %s is ever created on the host', async (_name, kind, name) => {
      const target = `${tree}/${name}`
      const made = {
        directory: { kind, mode: 0o755 },
        file: { kind, content: '', mode: 0o644 },
        tmpfs: { kind, sizeBytes: 4096, mode: 0o755 },
        symlink: { kind, to: 'x' },
      }
      const entry = { target, ...made[kind as keyof typeof made] } as ViewEntry
      await expect(run('true', entry)).rejects.toMatchObject({ code: 'native_failed', details: { nativeCode: 'EROFS' } })
      expect(lstatSync(target, { throwIfNoEntry: false })).toBeUndefined()
    })

    test('links are followed neither in sources nor in targets', async () => {
      await expect(run('true', workspace(`${directory}/alias`, '/alias'))).rejects.toMatchObject({ details: { nativeCode: 'ELOOP' } })
      const target: ViewEntry = { kind: 'tmpfs', target: `${tree}/link/x`, sizeBytes: 4096, mode: 0o755 }
      await expect(run('true', target)).rejects.toMatchObject({ code: 'native_failed' })
    })
  })

  test('limits hold: temporary space, processes, open files', async () => {
    const spec = { ...walls(), limits: { processes: 12, openFiles: 24 } }
    const { out } = await runToEnd(launcher, {
      ...spec,
      command: shell(
        'dd if=/dev/zero of=/tmp/x bs=1M count=16 2>&1 | grep -c "No space"; ulimit -n; ulimit -Hn; ulimit -c; i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo unreachable',
      ),
    })
    expect(out.trim().split('\n').slice(0, 4)).toEqual(['1', '24', '24', '0'])
    expect(out).not.toContain('unreachable')
  })

  test('a network of its own: every address ends at a listener or is refused', async () => {
    const listeners = Array.from({ length: 65 }, (_, index) => ({
      protocol: index === 0 ? ('udp' as const) : ('tcp' as const),
      port: 8000 + index,
    }))
    await using sandbox = await launcher.launch(
      { ...bareParts, token: token(), network: { ...loopback, listeners }, command: command(['true']) },
      { kind: 'pipes' },
    )
    expect(new Set(sandbox.listeners).size).toBe(65)
    const outcomes = await sandbox.attempt([to('192.0.2.1', 8001), to('2001:db8::1', 8064), to('192.0.2.1', 9), to('127.0.0.1', 9)])
    expect(outcomes.map(({ ok, error }) => (ok ? 'connected' : error))).toEqual(['connected', 'connected', 'ECONNREFUSED', 'ECONNREFUSED'])
    for (const descriptor of sandbox.listeners) closeSync(descriptor)
  })

  test('an attempt that nobody knows is no proof', async () => {
    const [outcome] = await attempt({ ...walls(), command: command(['true']) }, [{ op: 'syscall', name: 'no-such-call' }])
    expect(outcome).toEqual({ ok: false, error: 'EINVAL', value: null })
  })

  test.each<[string, Partial<LaunchSpec>, string]>([
    ['a view without an identity', { filesystem: view() }, 'EINVAL'],
    ['a network without an identity', { network: loopback }, 'EINVAL'],
    ['kernel uid 0', { token: { ...token(), outside: { uid: 0, gid: 5 } } }, 'EINVAL'],
    ['kernel gid 0', { token: { ...token(), outside: { uid: 5, gid: 0 } } }, 'EINVAL'],
    ['a path that climbs', { token: token(), filesystem: view({ kind: 'directory', target: '/a/../b', mode: 0o755 }) }, 'EINVAL'],
    ['a mode with a set-id bit', { token: token(), filesystem: view({ kind: 'directory', target: '/a', mode: 0o4755 }) }, 'EINVAL'],
    ['a source that is missing', { token: token(), filesystem: view(workspace('/no/such/source')) }, 'ENOENT'],
  ])('%s is refused', async (_name, parts, nativeCode) => {
    const launch = launcher.launch({ ...bareParts, ...parts, command: command(['true']) }, { kind: 'pipes' })
    await expect(launch).rejects.toMatchObject({ code: 'native_failed', details: { nativeCode } })
  })

  test('an identity that the caller cannot give is refused', async () => {
    const part = root ? { ...token(), outside: null } : { ...token(), outside: { uid: 0x7000_0001, gid: 0x7000_0001 } }
    await expect(launcher.launch({ ...bareParts, token: part, command: command(['true']) }, { kind: 'pipes' })).rejects.toMatchObject({
      code: 'native_failed',
      details: { nativeCode: 'EPERM' },
    })
  })

  test('what is too long or holds a NUL never reaches the helper, and other sandboxes live on', async () => {
    await using other = await launcher.launch({ ...walls(), command: shell('read x; echo "$x"') }, { kind: 'pipes' })
    await other.start()
    const out = textOf(other.stdout)
    for (const value of ['x'.repeat(5 << 20), 'a\0b']) {
      await expect(launcher.launch({ ...bareParts, command: command(['true'], { X: value }) }, { kind: 'pipes' })).rejects.toMatchObject({
        code: 'native_failed',
      })
    }
    other.stdin?.end('alive\n')
    expect([await out, (await other.exited).code]).toEqual(['alive\n', 0])
  })

  test('every feature is there, as far as this caller can have it', async () => {
    const host = createHost(launcher)
    const features = ['user-namespace', 'mount-namespace', 'network-namespace', 'any-address', 'landlock', 'seccomp-notify'] as const
    const answers = await Promise.all(features.map((feature) => host.can(feature)))
    expect(answers.map(({ ok, reason }) => (ok ? 'ok' : reason))).toEqual(features.map(() => 'ok'))
    expect(await host.can('idmapped-mount')).toMatchObject({ ok: root })
  })
}
