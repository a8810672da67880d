import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What the attacks are after, laid out on the host. Everything belongs to `uid`, so without walls an attacker of that user gets it. */
export interface Prey extends AsyncDisposable {
  readonly workspace: string
  /** Passed to the attack as ATTACK_FACTS. */
  readonly facts: Readonly<Record<string, string | number>>
}

/** Servers and shared memory of an innocent program of the same user: it answers `ok` and must never hear from an agent. */
const bystander = `
import ctypes, json, os, socket, sys, threading
outside = sys.argv[1]
libc = ctypes.CDLL(None)
def serve(s):
    while True:
        c, _ = s.accept()
        try:
            c.recv(2); c.sendall(b"ok")
        except OSError: pass
        c.close()
def start(s):
    s.listen(8); threading.Thread(target=serve, args=(s,), daemon=True).start()
tcp = socket.socket(); tcp.bind(("127.0.0.1", 0)); start(tcp)
path = outside + "/daemon.sock"; u = socket.socket(socket.AF_UNIX); u.bind(path); start(u)
name = "bulkhead-attack-%d" % os.getpid(); a = socket.socket(socket.AF_UNIX); a.bind("\\0" + name); start(a)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("127.0.0.1", 0))
def echo():
    while True:
        _, peer = udp.recvfrom(16); udp.sendto(b"ok", peer)
threading.Thread(target=echo, daemon=True).start()
key = 0x42000000 + os.getpid()
shm = libc.shmget(key, 4096, 0o1600)
print(json.dumps(dict(pid=os.getpid(), port=tcp.getsockname()[1], udpPort=udp.getsockname()[1], unixSocket=path, abstractSocket=name, shmKey=key)), flush=True)
sys.stdin.read()
libc.shmctl(shm, 0, None)
`

export async function layOutPrey(base: string, prefix: readonly string[], owner: { uid: number; gid: number }): Promise<Prey> {
  const directory = mkdtempSync(join(base, 'bulkhead-attack-'))
  const workspace = join(directory, 'workspace')
  const outside = join(directory, 'outside')
  const tmpFile = `/tmp/bulkhead-attack-${process.pid}-${owner.uid}`
  const shmFile = `/dev/shm/bulkhead-attack-${process.pid}-${owner.uid}`
  for (const path of [workspace, outside]) mkdirSync(path)
  const files = [...['secret', 'target', 'victim', 'deletable'].map((name) => join(outside, name)), tmpFile, shmFile]
  for (const path of files) writeFileSync(path, 'canary-5f1c\n', { mode: 0o600 })
  for (const path of [directory, workspace, outside, ...files]) chownSync(path, owner.uid, owner.gid)
  chmodSync(directory, 0o755)

  const environmentSecret = 'secret-in-environment-8d2e'
  const marker = 'bulkhead-bystander-marker'
  const [program, ...args] = [...prefix, '/usr/bin/python3', '-c', bystander, outside, marker]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], TOKEN: environmentSecret } })
  const served = JSON.parse(await firstLine(child)) as Record<string, string | number>
  return {
    workspace,
    facts: {
      ...served,
      outside,
      tmpFile,
      shmFile,
      marker,
      environmentSecret,
      secret: join(outside, 'secret'),
      target: join(outside, 'target'),
      victim: join(outside, 'victim'),
      deletable: join(outside, 'deletable'),
    },
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.stdin?.end()
      await gone
      for (const path of [directory, tmpFile, shmFile]) rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Puts back what a successful control destroyed. */
export function restorePrey(prey: Prey, owner: { uid: number; gid: number }): void {
  for (const name of ['target', 'victim', 'deletable']) {
    const path = String(prey.facts[name])
    writeFileSync(path, 'canary-5f1c\n')
    chmodSync(path, 0o600)
    chownSync(path, owner.uid, owner.gid)
  }
  rmSync(join(String(prey.facts['outside']), 'created-by-attack'), { force: true })
  execFileSync('find', [prey.workspace, '-mindepth', '1', '-delete'])
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the bystander has no output')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('the bystander did not start')
}
