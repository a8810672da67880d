import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hostHas, ordinaryUser } from '../support/host.ts'
import { InterceptRunner } from '../support/intercept-runner.ts'

let runner: InterceptRunner
let workspace: string

beforeAll(async () => {
  runner = await InterceptRunner.build(['-fsanitize=address,undefined', '-fno-sanitize-recover=all'])
})
afterAll(() => runner[Symbol.dispose]())
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'bulkhead-rules-'))
  chmodSync(workspace, 0o777)
})
afterEach(() => rmSync(workspace, { recursive: true, force: true }))

const python = '/usr/bin/python3'

async function shell(script: string, ...rules: string[]) {
  return runner.run({ directory: workspace, rules, command: ['/bin/sh', '-c', script] })
}

describe('process.exec', () => {
  test('deny: the program does not run, and the control without the rule does', async () => {
    const script = 'id -u; echo status $?'
    const control = await shell(script, 'process.exec deny /usr/bin/whoami')
    expect(control.stdout).toMatch(/^\d+\nstatus 0\n$/)
    expect(control.events).toEqual([])
    const { stdout, events } = await shell(script, 'process.exec allow /usr/bin/whoami', 'process.exec deny /usr/bin/id')
    expect(stdout).toBe('status 126\n')
    expect(events[0]).toEqual({
      rule: 1,
      on: 'process.exec',
      action: 'deny',
      pid: expect.any(Number),
      lost: 0,
      program: 'sh',
      object: '/usr/bin/id',
    })
  })

  test.each([
    ['a symbolic link', 'ln -s /usr/bin/id tool; ./tool'],
    ['a path with dots', '/usr/../usr/./bin//id'],
    ['a relative path', 'cd /usr; bin/id'],
    ['a descriptor', `${python} -c 'import os; os.execve(os.open("/usr/bin/id", os.O_RDONLY), ["id"], {})'`],
    ['/proc/self/fd', `${python} -c 'import os; os.execv("/proc/self/fd/%d" % os.open("/usr/bin/id", os.O_RDONLY), ["id"])'`],
    ['/proc/self/root', '/proc/self/root/usr/bin/id'],
  ])('deny sees through %s', async (_name, script) => {
    const control = await shell(script)
    expect(control.stdout, control.stderr).toMatch(/^uid=/)
    const { stdout, events } = await shell(script, 'process.exec deny /usr/bin/id')
    expect(stdout).toBe('')
    expect(events).toContainEqual(expect.objectContaining({ action: 'deny', object: '/usr/bin/id' }))
  })

  test('a link with an allowed name does not make the denied program allowed', async () => {
    const rules = [`process.exec allow ${workspace}/**`, 'process.exec deny /usr/bin/id']
    const { stdout, events } = await shell('ln -s /usr/bin/id tool; ./tool; cp /bin/echo mine; ./mine ok', ...rules)
    expect(stdout).toBe('ok\n')
    expect(events.map(({ action, object }) => [action, object])).toEqual([
      ['deny', '/usr/bin/id'],
      ['allow', `${workspace}/mine`],
    ])
  })

  test('kill ends the sandbox before the program runs', async () => {
    const script = 'touch before; id > ran; touch after; sleep 5; touch late'
    await shell(script.replace('sleep 5;', ''))
    expect(['before', 'ran', 'after', 'late'].map((name) => existsSync(join(workspace, name)))).toEqual([true, true, true, true])
    for (const name of ['before', 'ran', 'after', 'late']) rmSync(join(workspace, name))
    const { events, end } = await shell(script, 'process.exec allow /nothing', 'process.exec kill /usr/bin/id')
    expect(end).toEqual({ code: -1, signal: 9, killed: 1 })
    expect(events).toEqual([expect.objectContaining({ rule: 1, action: 'kill', object: '/usr/bin/id' })])
    expect(['before', 'after', 'late'].map((name) => existsSync(join(workspace, name)))).toEqual([true, false, false])
    expect(readFileSync(join(workspace, 'ran'), 'utf8')).toBe('')
  })

  test('allow reports what runs, and not what a search of PATH does not find', async () => {
    const { events } = await runner.run({
      directory: workspace,
      rules: ['process.exec allow **'],
      command: ['/usr/bin/env', 'PATH=/nowhere:/usr/bin', 'id', '-u'],
    })
    expect(events.map(({ object }) => object)).toEqual(['/usr/bin/env', '/usr/bin/id'])
  })
})

describe('files', () => {
  beforeEach(() => {
    mkdirSync(join(workspace, 'kept/empty'), { recursive: true })
    writeFileSync(join(workspace, 'kept/file'), 'old')
    writeFileSync(join(workspace, 'other'), 'other')
    symlinkSync('kept', join(workspace, 'alias'))
  })

  const acts: readonly (readonly [act: string, script: string])[] = [
    ['file.delete', 'rm -f kept/file'],
    ['file.delete', 'rm -f alias/file'],
    ['file.delete', 'cd kept && rm -f file'],
    ['file.delete', 'rmdir kept/empty'],
    ['file.delete', `${python} -c 'import os; os.unlink("file", dir_fd=os.open("kept", os.O_RDONLY))'`],
    ['file.rename', 'mv kept/file gone'],
    ['file.rename', 'mv other kept/file'],
    ['file.chmod', 'chmod 600 kept/file'],
    ['file.chmod', `${python} -c 'import os; os.fchmod(os.open("kept/file", os.O_RDONLY), 0o600)'`],
    ['file.write', 'echo new > kept/file'],
    ['file.write', 'echo new >> alias/file'],
    ['file.write', 'echo new > kept/fresh'],
    ['file.write', `${python} -c 'import os; os.truncate("kept/file", 0)'`],
  ]

  test.each(acts)('%s: %s', async (act, script) => {
    const fingerprint = 'stat -c "%a %n %s" kept kept/* other gone 2>/dev/null; cat kept/file'
    const before = (await shell(fingerprint)).stdout
    const { events, end } = await shell(script, `${act} deny ${workspace}/kept/**`)
    expect(end?.code).not.toBe(0)
    expect((await shell(fingerprint)).stdout).toBe(before)
    expect(events.map(({ on, action }) => [on, action])).toContainEqual([act, 'deny'])
    const control = await shell(script, `${act} deny ${workspace}/other/**`)
    expect([control.end?.code, control.events]).toEqual([0, []])
    expect((await shell(fingerprint)).stdout).not.toBe(before)
  })

  test('a link itself can be removed although what it points to is kept', async () => {
    const { end, events } = await shell('rm alias', `file.delete deny ${workspace}/kept/**`, `file.delete deny ${workspace}/kept`)
    expect([end?.code, events]).toEqual([0, []])
  })

  test('reading is no writing', async () => {
    const { stdout, events } = await shell('cat kept/file', 'file.write deny **')
    expect([stdout, events]).toEqual(['old', []])
  })

  test('kill on delete keeps the file', async () => {
    const { end } = await shell('rm -f kept/file', `file.delete kill ${workspace}/kept/*`)
    expect(end).toEqual({ code: -1, signal: 9, killed: 0 })
    expect(readFileSync(join(workspace, 'kept/file'), 'utf8')).toBe('old')
  })
})

const connect = (family: string, address: string): string =>
  `${python} -c 'import socket
try: socket.socket(socket.${family}).connect(${address}); print("connected")
except OSError as error: print(error.strerror)'`

async function withServer<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  try {
    return await use((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

describe('net', () => {
  test('connect: deny, kill, allow and the control', async () => {
    await withServer(async (port) => {
      const script = connect('AF_INET', `("127.0.0.1", ${port})`)
      const object = `127.0.0.1:${port}`
      expect((await shell(script)).stdout).toBe('connected\n')
      expect((await shell(script, `net.connect deny 127.0.0.1:1${port}`)).stdout).toBe('connected\n')
      const denied = await shell(script, `net.connect deny *:${port}`)
      expect([denied.stdout, denied.events.map(({ object }) => object)]).toEqual(['Permission denied\n', [object]])
      const killed = await shell(script, `net.connect kill ${object}`)
      expect([killed.stdout, killed.end?.killed]).toEqual(['', 0])
      const allowed = await shell(script, 'net.connect allow **')
      expect([allowed.stdout, allowed.events.map(({ action }) => action)]).toEqual(['connected\n', ['allow']])
    })
  })

  test('the same destination in IPv6 clothing, and a datagram', async () => {
    await withServer(async (port) => {
      const mapped = connect('AF_INET6', `("::ffff:127.0.0.1", ${port})`)
      expect((await shell(mapped)).stdout).toBe('connected\n')
      expect((await shell(mapped, `net.connect deny 127.0.0.1:${port}`)).stdout).toBe('Permission denied\n')
    })
    const datagram = `${python} -c 'import socket
try: print(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("127.0.0.1", 9)))
except OSError as error: print(error.strerror)'`
    expect((await shell(datagram)).stdout).toBe('5\n')
    expect((await shell(datagram, 'net.connect deny 127.0.0.1:*')).stdout).toBe('Permission denied\n')
  })

  test('unix sockets by path and by abstract name', async () => {
    const path = connect('AF_UNIX', '"broker.sock"')
    expect((await shell(path)).stdout).toBe('No such file or directory\n')
    const denied = await shell(path, `net.connect deny ${workspace}/*.sock`)
    expect([denied.stdout, denied.events[0]?.object]).toEqual(['Permission denied\n', `${workspace}/broker.sock`])
    const abstract = connect('AF_UNIX', String.raw`"\0broker"`)
    expect((await shell(abstract)).stdout).toBe('Connection refused\n')
    expect((await shell(abstract, 'net.connect deny @broker')).stdout).toBe('Permission denied\n')
  })

  test('bind', async () => {
    const bind = connect('AF_INET', '("127.0.0.1", 0)').replace('.connect(', '.bind(')
    expect((await shell(bind)).stdout).toBe('connected\n')
    expect((await shell(bind, 'net.bind deny 127.0.0.1:0')).stdout).toBe('Permission denied\n')
  })
})

describe('the proof that the supervisor answers', () => {
  const acts = ['file.write', 'file.delete', 'file.rename', 'file.chmod', 'process.exec', 'net.connect', 'net.bind']

  test.each(acts)('%s', async (act) => {
    const attempt = `intercept:${act}`
    const other = acts.find((name) => name !== act)
    const asked = await runner.run({ rules: [`${act} allow /nothing`], attempt })
    const notAsked = await runner.run({ rules: [`${other} deny **`], attempt })
    expect([asked.stdout, asked.events]).toEqual(['13\n', []])
    expect(notAsked.stdout).not.toBe('13\n')
  })

  test('it is given while rules are held, and nothing else is answered or reported then', async () => {
    const rules = acts.map((act) => `${act} kill **`)
    const proof = await runner.run({ rules, held: true, attempt: 'intercept:file.delete' })
    expect([proof.stdout, proof.events, proof.end?.killed]).toEqual(['13\n', [], -1])
    const act = await runner.run({ rules, held: true, directory: workspace, command: ['/bin/sh', '-c', 'echo x > y; rm y; echo ok'] })
    expect([act.stdout, act.events, act.end?.killed]).toEqual(['ok\n', [], -1])
    const control = await runner.run({ rules, directory: workspace, command: ['/bin/sh', '-c', 'echo ok'] })
    expect([control.stdout, control.end?.killed]).toEqual(['', 4])
  })
})

describe('a hostile agent', () => {
  test('a flood of events is bounded and the loss is counted', async () => {
    const script = `import os
for i in range(20000):
    try: os.unlink("/nowhere/x")
    except OSError: pass
try: os.rmdir("/nowhere/kill")
except OSError: pass`
    const { events, end } = await runner.run({
      rules: ['file.delete kill /nowhere/kill', 'file.delete deny /nowhere/*'],
      command: [python, '-c', script],
    })
    expect(end?.killed).toBe(0)
    expect(events.length).toBeGreaterThan(256)
    expect(events.length).toBeLessThan(2000)
    expect(events.length + events.reduce((sum, { lost }) => sum + lost, 0)).toBe(20_001)
    expect(events.at(-1)).toEqual(expect.objectContaining({ action: 'kill', object: '/nowhere/kill' }))
  })

  const numbers = {
    x64: { unlinkat: 263, execve: 59, connect: 42, sendto: 44, bind: 49, openat: 257, fchmod: 91 },
    arm64: { unlinkat: 35, execve: 221, connect: 203, sendto: 206, bind: 200, openat: 56, fchmod: 52 },
  }[process.arch as 'x64' | 'arm64']

  const everyAct = ['file.write', 'file.delete', 'file.rename', 'file.chmod', 'process.exec', 'net.connect', 'net.bind']

  const hostile = `
import ctypes, mmap, os, socket, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_ulong(a & (2**64 - 1)) for a in args])
    return errno.errorcode.get(ctypes.get_errno(), "?") if result < 0 else "ok"
libc.mmap.restype = ctypes.c_void_p
page = libc.mmap(None, ctypes.c_size_t(8192), 3, 0x22, -1, ctypes.c_long(0))
libc.munmap(ctypes.c_void_p(page + 4096), ctypes.c_size_t(4096))
ctypes.memset(page, ord("a"), 4096)
long = ctypes.create_string_buffer(b"/" + b"b" * 100000)
binary = ctypes.create_string_buffer(bytes(range(1, 256)))
deep = ctypes.create_string_buffer(b"/." * 2000 + b"/nowhere")
empty = ctypes.create_string_buffer(b"")
U, X, C, T, B, O, F = ${Object.values(numbers).join(', ')}
AT = -100
unix = socket.socket(socket.AF_UNIX)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
short = ctypes.create_string_buffer(b"\\x02\\x00\\x00")
wild = ctypes.create_string_buffer(b"\\x01\\x00" + b"\\x2f" * 126)
for name, result in [
    ("null", call(U, AT, 0, 0)), ("one", call(U, AT, 1, 0)), ("kernel", call(U, AT, 0xffffffff81000000, 0)), ("minus one", call(U, AT, -1, 0)),
    ("unterminated", call(U, AT, page, 0)), ("last byte", call(U, AT, page + 4095, 0)), ("long", call(U, AT, ctypes.addressof(long), 0)),
    ("binary", call(U, AT, ctypes.addressof(binary), 0)), ("dots", call(U, AT, ctypes.addressof(deep), 0)), ("empty", call(U, AT, ctypes.addressof(empty), 0)),
    ("bad directory", call(U, 9999, ctypes.addressof(binary), 0)), ("negative directory", call(U, -7, ctypes.addressof(binary), 0)),
    ("exec null", call(X, 0, 0, 0)), ("exec long", call(X, ctypes.addressof(long), 0, 0)),
    ("open unterminated", call(O, AT, page, os.O_WRONLY)), ("openat2 null", call(437, AT, ctypes.addressof(deep), 0, 24)),
    ("openat2 short", call(437, AT, ctypes.addressof(deep), page + 4090, 4)), ("fchmod bad", call(F, 9999, 0)),
    ("connect null", call(C, unix.fileno(), 0, 16)), ("connect huge", call(C, unix.fileno(), page, 0x7fffffff)),
    ("connect zero", call(C, unix.fileno(), page, 0)), ("connect short", call(C, udp.fileno(), ctypes.addressof(short), 3)),
    ("connect unix full", call(C, unix.fileno(), ctypes.addressof(wild), 110)), ("connect edge", call(C, unix.fileno(), page + 4090, 110)),
    ("sendto null", call(T, udp.fileno(), 0, 0, 0, 1, 16)), ("sendto high", call(T, udp.fileno(), 0, 0, 0, 1 << 40, 16)),
    ("bind minus", call(B, unix.fileno(), page, -1)),
]: print(name, result)
`

  test.skipIf(!hostHas('python3'))('hostile pointers, lengths and strings get the kernel’s own answers', async () => {
    const options = { directory: workspace, command: [python, '-c', hostile] }
    const control = await runner.run(options)
    expect(control.stdout.split('\n').length, control.stderr).toBe(28)
    const watched = await runner.run({ ...options, rules: everyAct.map((act) => `${act} deny /never/**`) })
    expect(watched.stderr).toBe('')
    expect(watched.stdout).toBe(control.stdout)
    expect(watched.end?.code).toBe(0)
  })

  /**
   * The race is real: what is let through by one name can act on another. So every name is relative, of letters and digits only (a torn
   * mixture of two names is again a name in this directory), and root is given up first.
   */
  test('paths that change while they are read, and callers that die while they wait', async () => {
    const script = `
import ctypes, os, signal, threading, time
if os.getuid() == 0: os.setgroups([]); os.setgid(${ordinaryUser.gid}); os.setuid(${ordinaryUser.uid})
libc = ctypes.CDLL(None)
buffer = ctypes.create_string_buffer(b"calm", 64)
stop = False
def swap():
    while not stop:
        buffer.raw = os.urandom(25).hex().encode() + b"\\0" * 14
        buffer.raw = b"kept\\0" + b"q" * 59
def act():
    while not stop: libc.unlink(buffer)
threads = [threading.Thread(target=f) for f in (swap, act, act, act)]
for thread in threads: thread.start()
for _ in range(40):
    child = os.fork()
    if child == 0:
        while True: libc.unlink(b"nothing")
    time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
stop = True
for thread in threads: thread.join()
print("done")
`
    const { stdout, stderr, end } = await runner.run({
      directory: workspace,
      rules: [`file.delete deny ${workspace}/kept`, 'file.delete allow **'],
      command: [python, '-c', script],
    })
    expect([stdout, stderr, end]).toEqual(['done\n', '', { code: 0, signal: 0, killed: -1 }])
  })

  /** With SA_RESTART, as Go, Node and libc's signal() set it; without it such a call can end with EINTR, which seccomp_unotify(2) says. */
  test('a signal handler that interrupts a waiting call does not lose or hang it', async () => {
    const script = `
import os, signal
count = 0
def tick(*_):
    global count
    count += 1
signal.signal(signal.SIGALRM, tick)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for i in range(3000):
    try: os.unlink("/nowhere/x")
    except PermissionError: pass
signal.setitimer(signal.ITIMER_REAL, 0)
print(count > 3)
`
    const { stdout, stderr } = await runner.run({ rules: ['file.delete deny /nowhere/*'], command: [python, '-c', script] })
    expect([stdout, stderr]).toEqual(['True\n', ''])
  })

  test('text of the agent arrives as it is and cut, never as more than text', async () => {
    const name = '\u001b[31mred\n{"rule":0}'
    const { events } = await runner.run({
      directory: workspace,
      rules: ['file.delete deny **'],
      command: [python, '-c', `import os,sys\ntry: os.unlink(sys.argv[1])\nexcept OSError: pass`, name],
    })
    expect(events).toEqual([expect.objectContaining({ object: `${workspace}/${name}` })])
  })
})

/** Where the supervisor is neither root nor inside: its rights over the agent are those of the owner of a user namespace. */
describe.skipIf(!hostHas('user-namespace'))('in namespaces of its own', () => {
  const ordinary = { uid: ordinaryUser.uid }
  const identities = hostHas('ordinary-user') ? [{ uid: 0 }, ordinary] : [{}]

  test.each(identities)('%j', async (identity) => {
    const run = (script: string, ...rules: string[]) =>
      runner.run({ directory: workspace, boxed: true, ...identity, rules, command: ['/bin/sh', '-c', script] })
    const script = 'echo $$ $(ls /); touch kept; /bin/rm -f kept; ls; ln -s /usr/bin/id alias; ./alias -u'
    const control = await run(script)
    expect(control.stdout, control.stderr).toBe('1 bin lib lib64 proc sbin usr workspace\n1000\n')
    rmSync(join(workspace, 'alias'))
    const { stdout, events } = await run(
      script,
      'process.exec deny /usr/bin/id',
      'process.exec allow /usr/bin/dash',
      'file.delete deny /workspace/**',
    )
    expect(stdout).toBe('1 bin lib lib64 proc sbin usr workspace\nkept\n')
    expect(events).toEqual([
      { rule: 1, on: 'process.exec', action: 'allow', pid: 1, lost: 0, program: 'runner', object: '/usr/bin/dash' },
      { rule: 2, on: 'file.delete', action: 'deny', pid: expect.any(Number), lost: 0, program: 'rm', object: '/workspace/kept' },
      { rule: 0, on: 'process.exec', action: 'deny', pid: expect.any(Number), lost: 0, program: 'sh', object: '/usr/bin/id' },
    ])
  })

  test('a process that makes itself unreadable is read all the same', async () => {
    const { stdout, events } = await runner.run({
      directory: workspace,
      boxed: true,
      ...(hostHas('ordinary-user') ? ordinary : {}),
      rules: ['file.delete deny /workspace/kept'],
      command: [
        python,
        '-c',
        'import ctypes,os; ctypes.CDLL(None).prctl(4,0,0,0,0); open("kept","w").close()\ntry: os.unlink("kept")\nexcept OSError as e: print(e.strerror)',
      ],
    })
    expect([stdout, events.length]).toEqual(['Permission denied\n', 1])
  })
})

test('a rule that is not well formed installs nothing', async () => {
  const { stderr, end } = await runner.run({ rules: ['registry.write deny **'], command: ['/bin/true'] })
  expect([stderr, end]).toEqual(['interception rules: Invalid argument\nrecvmsg: Success\n', null])
})
