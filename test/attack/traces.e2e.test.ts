import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { hostHas, packageRoot } from '../support/host.ts'
import { identities } from '../support/desk.ts'

// What an agent leaves behind, or sets off, and what then acts outside of every wall: files that run as their owner, and core files.

const prelude = readFileSync(join(packageRoot, 'test/attack/prelude.py'), 'utf8')
const walled = [process.execPath, join(packageRoot, 'dist/cli/main.js'), 'exec', '--env', 'ATTACK_FACTS', '--']

/** Each makes `left` with a set-id bit. The umask is 0, so that the mode of a file that is made is the one that is asked for. */
const ways: Readonly<Record<string, string>> = {
  chmod: 'open("left", "w").close(); os.chmod("left", 0o4755)',
  'chmod for the group': 'open("left", "w").close(); os.chmod("left", 0o2755)',
  fchmod: 'f = open("left", "w"); os.fchmod(f.fileno(), 0o6755)',
  'fchmod through /proc': 'f = open("left", "w"); os.chmod("/proc/self/fd/%d" % f.fileno(), 0o4755)',
  fchmodat: 'open("left", "w").close(); d = os.open(".", os.O_RDONLY); os.chmod("left", 0o4755, dir_fd=d)',
  fchmodat2: 'open("left", "w").close(); call(452, -100, b"left", 0o4755, 0)',
  'the mode of open': 'os.open("left", os.O_CREAT | os.O_WRONLY, 0o4755)',
  'the mode of open with set high bits': 'call(257 if x86 else 56, -100, b"left", 0x41, (1 << 40) | 0o4755)',
  'the mode of openat2': 'call(437, -100, b"left", ctypes.create_string_buffer(struct.pack("QQQ", 0x41, 0o4755, 0)), 24)',
  'a file without a name that gets one':
    'f = os.open(".", 0o20200000 | os.O_WRONLY, 0o4755); call(265 if x86 else 37, -100, b"/proc/self/fd/%d" % f, -100, b"left", 0x400)',
  mknod: 'os.mknod("left", 0o100000 | 0o4755)',
  'a copy with its mode': 'import shutil; open("a", "w").close(); os.chmod("a", 0o4755); shutil.copy2("a", "left")',
}

const raw = `
x86 = os.uname().machine == "x86_64"
def call(number, *args):
    if libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in args]) < 0: raise OSError(ctypes.get_errno(), "call")
os.umask(0)
`

describe.each(identities.filter(() => hostHas('python3')))('as $name', ({ uid, gid, prefix }) => {
  const directory = mkdtempSync('/var/tmp/bulkhead-traces-')
  const workspace = join(directory, 'workspace')
  const home = join(directory, 'home')
  chmodSync(directory, 0o755)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  beforeEach(() => {
    for (const path of [workspace, home]) {
      rmSync(path, { recursive: true, force: true })
      mkdirSync(path)
      spawnSync('chown', [`${uid}:${gid}`, path])
    }
  })

  function python(code: string, walls: readonly string[]): string {
    const [program, ...args] = [...prefix, ...walls, '/usr/bin/python3', '-c', `${prelude}${raw}${code}\nescaped()`]
    const result = spawnSync(program, args, {
      cwd: workspace,
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env['PATH'], HOME: home, ATTACK_FACTS: '{}' },
    })
    return `${result.stdout}${result.stderr}`
  }

  /** As the host sees it. */
  const setId = (): readonly string[] => readdirSync(workspace).filter((name) => (statSync(join(workspace, name)).mode & 0o6000) !== 0)

  test.each(Object.entries(ways))('no file that runs as its owner for whoever starts it: %s', (_, code) => {
    const control = python(code, [])
    // A kernel without the call cannot be attacked through it.
    if (!control.includes('Errno 38'))
      expect({ control, setId: setId() }).toMatchObject({ setId: expect.arrayContaining(['left']) as unknown })
    rmSync(join(workspace, 'left'), { force: true })
    rmSync(join(workspace, 'a'), { force: true })
    const inside = python(code, walled)
    expect({ inside, setId: setId() }).toEqual({ inside: expect.stringMatching(/^CONTAINED/) as unknown, setId: [] })
  })

  test('ordinary modes work as ever, also by the calls that are looked at', () => {
    const code = `
os.mkdir("d", 0o1777); os.chmod("d", 0o1777)
os.open("a", os.O_CREAT | os.O_WRONLY, 0o755); os.chmod("a", 0o700)
call(257 if x86 else 56, -100, b"a", 0, 0o4755) # without O_CREAT the mode means nothing
import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (64, 64)`
    expect(python(code, walled)).toMatch(/^ESCAPED/)
  })
})

describe.skipIf(!hostHas('root') || !hostHas('python3'))('a handler of core files that the host runs as root', () => {
  const pattern = '/proc/sys/kernel/core_pattern'
  const directory = mkdtempSync('/var/tmp/bulkhead-crash-')
  const handler = join(directory, 'handler')
  const before = readFileSync(pattern, 'utf8')
  const restore = (): void => writeFileSync(pattern, before)
  chmodSync(directory, 0o755)
  writeFileSync(handler, `#!/bin/sh\n[ "$1" = bulkhead-crash ] && id -u > ${directory}/ran-$2\nexec cat > /dev/null\n`, { mode: 0o755 })
  process.once('exit', restore)
  afterAll(() => {
    restore()
    process.off('exit', restore)
    rmSync(directory, { recursive: true, force: true })
  })

  /** The program dies of a signal under a name by which the handler knows it. */
  function crash(walls: readonly string[], before_: string): boolean {
    const ran = `${directory}/ran-11`
    rmSync(ran, { force: true })
    writeFileSync(pattern, `|${handler} %e %s`)
    try {
      const code = `import ctypes, os, resource\n${before_}\nctypes.CDLL(None).prctl(15, b"bulkhead-crash", 0, 0, 0)\nos.kill(os.getpid(), 11)`
      spawnSync(walls[0] ?? '/usr/bin/python3', [...walls.slice(1), ...(walls.length > 0 ? ['/usr/bin/python3'] : []), '-c', code], {
        cwd: directory,
        timeout: 30_000,
        env: { PATH: process.env['PATH'], HOME: directory, ATTACK_FACTS: '{}' },
      })
    } finally {
      restore()
    }
    return existsSync(ran)
  }

  test.each([
    ['as the limit is', ''],
    ['after lowering it to 0, which a handler does not heed', 'resource.setrlimit(resource.RLIMIT_CORE, (0, 0))'],
    ['after raising it', 'resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))'],
    ['by the other call', 'ctypes.CDLL(None).syscall(160 if os.uname().machine == "x86_64" else 164, 4, (ctypes.c_ulong * 2)(0, 0))'],
    ['asking for the old limit too', 'resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))'],
  ])('is not started by an agent that crashes: %s', (_, code) => {
    expect(crash([], code)).toBe(true)
    expect(crash(walled, code)).toBe(false)
  })
})
