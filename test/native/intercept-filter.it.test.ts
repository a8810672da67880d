import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostHas } from '../support/host.ts'
import { InterceptRunner } from '../support/intercept-runner.ts'

let runner: InterceptRunner
let workspace: string

beforeAll(async () => {
  runner = await InterceptRunner.build()
  workspace = mkdtempSync(join(tmpdir(), 'bulkhead-everyday-'))
})
afterAll(() => {
  runner[Symbol.dispose]()
  rmSync(workspace, { recursive: true, force: true })
})

const x64 = process.arch === 'x64'

/** What the filter answers. The last column: who sees another answer without it (the kernel refuses some to ordinary users itself). */
const closed: readonly (readonly [name: string, answer: string, control: 'anyone' | 'root' | 'nobody'])[] = [
  ['io_uring_setup', 'ENOSYS', 'anyone'],
  ['io_uring_enter', 'ENOSYS', 'anyone'],
  ['io_uring_register', 'ENOSYS', 'anyone'],
  ['mount', 'EPERM', 'anyone'],
  ['umount2', 'EPERM', 'anyone'],
  ['open_tree', 'ENOSYS', 'anyone'],
  ['move_mount', 'ENOSYS', 'anyone'],
  ['fsopen', 'ENOSYS', 'anyone'],
  ['fsmount', 'ENOSYS', 'anyone'],
  ['fspick', 'ENOSYS', 'anyone'],
  ['mount_setattr', 'ENOSYS', 'anyone'],
  ['pivot_root', 'EPERM', 'root'],
  ['chroot', 'EPERM', 'anyone'],
  ['setns', 'EPERM', 'anyone'],
  ['keyctl', 'ENOSYS', 'anyone'],
  ['add_key', 'ENOSYS', 'anyone'],
  ['request_key', 'ENOSYS', 'anyone'],
  ['bpf', 'EPERM', 'root'],
  ['perf_event_open', 'EPERM', 'anyone'],
  ['userfaultfd', 'EPERM', 'root'],
  ['init_module', 'EPERM', 'root'],
  ['finit_module', 'EPERM', 'root'],
  ['delete_module', 'EPERM', 'root'],
  ['kexec_load', 'EPERM', 'root'],
  ['reboot', 'EPERM', 'root'],
  ['swapon', 'EPERM', 'root'],
  ['swapoff', 'EPERM', 'root'],
  ['settimeofday', 'EPERM', 'root'],
  ['clock_settime', 'EPERM', 'anyone'],
  ['sethostname', 'EPERM', 'root'],
  ['acct', 'EPERM', 'root'],
  ['syslog', 'EPERM', 'root'],
  ['quotactl', 'EPERM', 'anyone'],
  ['open_by_handle_at', 'EPERM', 'root'],
  ['fanotify_init', 'EPERM', 'root'],
  ['tiocsti', 'EPERM', 'anyone'],
  ['tiocsti-high-bits', 'EPERM', 'anyone'],
  ['tioclinux', 'EPERM', 'anyone'],
  ['tiocsetd', 'EPERM', 'anyone'],
  ['clone3-newuser', 'ENOSYS', 'anyone'],
  ['clone-newuser', 'EPERM', 'root'],
  ['unshare-user', 'EPERM', 'root'],
  ['unshare-mount', 'EPERM', 'root'],
  ['personality-exec', 'EPERM', 'anyone'],
  ['mknod-char', 'EPERM', 'anyone'],
  ['mknod-block', 'EPERM', 'anyone'],
  ['socket-vsock', 'EAFNOSUPPORT', 'nobody'],
  ['socket-packet', 'EAFNOSUPPORT', 'anyone'],
  ['socket-alg', 'EAFNOSUPPORT', 'nobody'],
  ['socket-raw', 'EPERM', 'root'],
  ['socket-raw6', 'EPERM', 'root'],
  ['socket-netlink-audit', 'EPROTONOSUPPORT', 'nobody'],
  ['socket-netlink-netfilter', 'EPROTONOSUPPORT', 'nobody'],
  ['foreign-arch', 'ENOSYS', 'nobody'],
  ...(x64
    ? ([
        ['iopl', 'EPERM', 'root'],
        ['modify_ldt', 'ENOSYS', 'nobody'],
        ['x32-getpid', 'ENOSYS', 'nobody'],
      ] as const)
    : []),
]

describe('closed system calls', () => {
  test('each gives the answer of the filter, and another one without it', async () => {
    const names = closed.map(([name]) => name)
    const [inside, outside] = await Promise.all([runner.attempt(true, names), runner.attempt(false, names)])
    expect(Object.fromEntries(inside)).toEqual(Object.fromEntries(closed.map(([name, answer]) => [name, answer])))
    const isRoot = hostHas('root')
    const sameWithout = closed
      .filter(([, , control]) => control === 'anyone' || (control === 'root' && isRoot))
      .filter(([name]) => outside.get(name) === inside.get(name))
    expect(sameWithout).toEqual([])
  })

  /** Their control depends on how the kernel was built, so it is made only where it can be. */
  test.for(['socket-vsock', 'socket-netlink-audit', 'socket-netlink-netfilter', 'modify_ldt', 'foreign-arch'])(
    '%s works without the filter and not with it',
    async (name, { skip }) => {
      const outside = await runner.attempt(false, [name])
      if (outside.get(name) !== 'ok') skip('this kernel does not have it')
      const inside = await runner.attempt(true, [name])
      expect(inside.get(name)).toBe(closed.find(([call]) => call === name)?.[1])
    },
  )

  test('the list of attempts in C has nothing that this test leaves out', async () => {
    const tracing = ['ptrace-pid1', 'ptrace-parent', 'process_vm_writev-pid1']
    const all = await runner.attempt(true, closed.map(([name]) => name).concat('no-such-attempt'))
    expect(all.get('no-such-attempt')).toBe('errno -1')
    const known = await runner.names()
    // What the token's own filter answers is attacked in test/attack/traces.e2e.test.ts.
    const ofInterception = known.filter((name) => !/^(?:set-g?id-|openat2$)/.test(name))
    expect(ofInterception.toSorted()).toEqual([...closed.map(([name]) => name), ...tracing].toSorted())
    expect(known.length - ofInterception.length).toBe(8)
  })
})

describe('the program', () => {
  /** SECCOMP_RET_*: allow, ERRNO with EPERM, ERRNO with ENOSYS, user notification. */
  const answers = { allow: 0x7fff0000, eperm: 0x00050001, enosys: 0x00050026, ask: 0x7fc00000 }

  test.each([0, 0b1111111])('does with every number what its table says (acts %d)', async (acts) => {
    const { calls } = await runner.table(acts)
    /** enum bh_verdict: with all arguments 0 the conditional ones have known answers too. */
    const expected = new Map([
      [0, answers.enosys],
      [1, answers.allow],
      [2, answers.eperm],
      [3, answers.allow],
      [4, answers.allow],
      [5, 0x00050061],
      [6, 0x00050061],
      [7, answers.allow],
      [8, answers.allow],
      [9, answers.allow],
      [10, answers.allow],
      [11, answers.ask],
      [12, answers.allow],
      [13, answers.allow],
      [14, answers.allow],
    ])
    expect(calls.map(({ number, action }) => [number, action])).toEqual(calls.map(({ number, verdict }) => [number, expected.get(verdict)]))
  })

  test('the one that goes with the token lets through whatever makes no file and sets no limit', async () => {
    const { calls, length } = await runner.table(0xffff_ffff)
    const refused = calls.filter(({ number, action }) => number < 480 && action !== answers.allow)
    // openat2, whose mode is in memory.
    expect(refused).toEqual([{ number: 437, verdict: 0, action: answers.enosys }])
    expect(calls.filter(({ number, action }) => number >= 480 && action !== answers.enosys)).toEqual([])
    expect(length).toBeLessThan(128)
  })

  test('unknown numbers are answered as by a kernel that does not have them', async () => {
    const { calls } = await runner.table(0)
    expect(calls.filter(({ number, action }) => number >= 480 && action !== answers.enosys)).toEqual([])
    expect(calls).toHaveLength(1024)
  })

  test('stays far below the limit of the kernel', async () => {
    expect((await runner.table(0b1111111)).length).toBeLessThan(512)
  })
})

describe('everyday programs', () => {
  const programs: readonly { readonly needs: string; readonly does: string; readonly shell: string; readonly prints: RegExp }[] = [
    {
      needs: 'node',
      does: 'worker threads',
      shell: `node -e 'new (require("worker_threads").Worker)("console.log(6*7)",{eval:true})'`,
      prints: /^42$/m,
    },
    {
      needs: 'node',
      does: 'sockets and children',
      shell: `node -e 'const n=require("net");n.createServer(s=>s.end(require("child_process").execFileSync("echo",["hi"]))).listen(0,"127.0.0.1",function(){n.connect(this.address().port,"127.0.0.1").on("data",d=>{console.log(String(d));process.exit()})})'`,
      prints: /^hi$/m,
    },
    { needs: 'npm', does: 'starts', shell: 'HOME=$PWD npm --version', prints: /^\d+\.\d+/m },
    {
      needs: 'git',
      does: 'commits',
      shell:
        'rm -rf g && git init -q g && cd g && echo x > f && git add f && git -c user.name=a -c user.email=a@b commit -qm m && git log --format=%s',
      prints: /^m$/m,
    },
    {
      needs: 'python3',
      does: 'threads, processes, pools',
      shell: `/usr/bin/python3 -c 'import subprocess,threading,multiprocessing as m;t=threading.Thread(target=lambda:0);t.start();t.join();print(m.Pool(2).map(abs,[-4,-5]),subprocess.check_output(["echo","z"]))'`,
      prints: /^\[4, 5\] b'z\\n'$/m,
    },
    { needs: 'cc', does: 'builds', shell: `${program('built')} > b.c && cc -o b b.c && ./b`, prints: /^built$/m },
    {
      needs: 'cc',
      does: 'builds with sanitizers',
      shell: `${program('sane')} > s.c && cc -fsanitize=address,undefined -o s s.c && ./s`,
      prints: /^sane$/m,
    },
    { needs: 'java', does: 'starts', shell: 'java -version 2>&1', prints: /openjdk|java/i },
    {
      needs: 'strace',
      does: 'traces children',
      shell: 'strace -f -e trace=execve -o trace.txt sh -c "true; /bin/true" && grep -c execve trace.txt',
      prints: /^[1-9]/m,
    },
    {
      needs: 'gdb',
      does: 'breaks and prints',
      shell: `${program('x')} > d.c && cc -g -o d d.c && gdb -q -batch -ex 'break main' -ex run -ex 'print 6*7' ./d 2>&1`,
      prints: /= 42/,
    },
    {
      needs: 'go',
      does: 'builds and runs',
      shell: `printf 'package main\nfunc main(){println(7)}' > m.go && HOME=$PWD go run m.go 2>&1`,
      prints: /^7$/m,
    },
    {
      needs: 'sh',
      does: 'pipes, fifos and jobs',
      shell: 'rm -f q; mkfifo q; (echo through > q &) ; cat q; seq 3 | sort -r | head -1; setsid sh -c "echo apart"',
      prints: /^through\n3\napart$/m,
    },
    { needs: 'setarch', does: 'switches randomisation off', shell: 'setarch -R true && echo ok', prints: /^ok$/m },
    { needs: 'ip', does: 'lists interfaces', shell: 'ip -o link show lo', prints: /lo/ },
  ]

  for (const { needs, does, shell, prints } of programs) {
    test.skipIf(!present(needs))(`${needs}: ${does}`, async () => {
      const options = { directory: workspace, command: ['/bin/sh', '-c', shell] }
      const quiet = await runner.run(options)
      expect(quiet.stdout, quiet.stderr).toMatch(prints)
      const watched = await runner.run({ ...options, rules: everyAct })
      expect(watched.stdout, watched.stderr).toMatch(prints)
      expect(watched.events).toEqual([])
    })
  }
})

function program(says: string): string {
  return `printf '#include <stdio.h>\\nint main(void){puts("${says}");}\\n'`
}

/** Every intercepted call goes through the supervisor and is let through. */
const everyAct = ['file.write', 'file.delete', 'file.rename', 'file.chmod', 'process.exec', 'net.connect', 'net.bind'].map(
  (act) => `${act} deny /bulkhead/nothing/**`,
)

function present(tool: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('the filter stays for the whole tree and cannot be taken off', async () => {
  writeFileSync(join(workspace, 'status.sh'), 'sh -c "grep -E ^Seccomp: /proc/self/status; grep NoNewPrivs /proc/self/status"\n')
  const { stdout } = await runner.run({ directory: workspace, command: ['/bin/sh', 'status.sh'] })
  expect(stdout.replaceAll('\t', ' ')).toBe('Seccomp: 2\nNoNewPrivs: 1\n')
})
