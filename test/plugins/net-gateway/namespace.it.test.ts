import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AppliedLayer, Attempt, Denial, LaunchSpec, Outcome } from '../../../core/contracts/index.ts'
import gateway from '../../../plugins/net-gateway/index.ts'
import { applyContext, planContext } from '../../support/fake-request.ts'
import { hostHas } from '../../support/host.ts'
import type { NetworkRoom } from '../../support/netns.ts'
import { openNetworkRoom } from '../../support/netns.ts'
import { portOf } from '../../gateway/wire.ts'

const python = '/usr/bin/python3'
const command: LaunchSpec['command'] = { argv: [], directory: '/', environment: {} }
const nothing = { token: null, filesystem: null, network: null, interception: null, limits: { processes: null, openFiles: null } }

/** Programs that know nothing of a gateway; each fetches a URL and prints the body. */
const clients: readonly (readonly [name: string, argv: (url: string) => readonly string[]])[] = [
  ['curl', (url) => ['curl', '-sS', '--noproxy', '*', '-m', '5', '--fail', url]],
  [
    'node fetch',
    (url) => [
      process.execPath,
      '-e',
      'fetch(process.argv[1]).then(async (r) => { if (!r.ok) process.exit(1); console.log(await r.text()) })',
      url,
    ],
  ],
  [
    'python urllib',
    (url) => [python, '-c', 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())', url],
  ],
  ['python asyncio', (url) => [python, '-c', asyncioClient, url]],
  ['git', (url) => ['git', 'ls-remote', `${url}repo.git`, 'refs/heads/main']],
]

const asyncioClient = `
import asyncio, sys, urllib.parse
async def main():
    url = urllib.parse.urlsplit(sys.argv[1])
    reader, writer = await asyncio.open_connection(url.hostname, url.port or 80)
    writer.write(f"GET {url.path} HTTP/1.0\\r\\nHost: {url.netloc}\\r\\n\\r\\n".encode())
    answer = (await reader.read()).decode()
    print(answer)
    return 0 if " 200 " in answer.splitlines()[0] else 1
sys.exit(asyncio.run(asyncio.wait_for(main(), 5)))
`

const viaProxy = ['curl', '-sS', '-m', '5', '-x', 'http://127.0.0.1:3128']

function runGit(directory: string, argv: readonly string[]): void {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
  execFileSync('git', argv, { cwd: directory, stdio: 'ignore', env })
}

describe.runIf(hostHas('user-namespace') && hostHas('curl'))('in a network namespace', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-gateway-'))
  const visits: string[] = []
  const denials: Denial[] = []
  const server = createServer((request, response) => {
    visits.push(`${request.headers.host}${request.url}`)
    if (request.url === '/') return void response.end('welcome')
    readFile(join(directory, new URL(request.url ?? '', 'http://x').pathname)).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    )
    return undefined
  })
  let port: number
  let layer: AppliedLayer
  let room: NetworkRoom

  beforeAll(async () => {
    runGit(directory, ['init', '-q', '-b', 'main', 'work'])
    runGit(directory, ['-C', 'work', '-c', 'user.name=t', '-c', 'user.email=t@t.test', 'commit', '-q', '--allow-empty', '-m', 'one'])
    runGit(directory, ['clone', '-q', '--bare', 'work', 'repo.git'])
    runGit(directory, ['-C', 'repo.git', 'update-server-info'])
    port = await portOf(server)
    const options = gateway.options.parse({ hosts: { 'ok.test': `127.0.0.1:${port}` } })
    const policy = {
      filesystem: { read: [], write: [], deny: [] },
      network: { allow: [{ host: 'ok.test', port: null }] },
      interception: [],
      limits: { timeMs: null, stallMs: null, outputBytes: null, processes: null, openFiles: null, temporaryBytes: null },
      environment: {},
    }
    const plan = gateway.plan(policy, options, planContext())
    layer = await gateway.apply(plan, applyContext({ report: (denial) => denials.push(denial) }))
    const { network } = layer.contribute({ command, ...nothing })
    if (network?.mechanism !== 'linux-netns') throw new Error('no network part')
    room = await openNetworkRoom(network)
    await layer.attach?.({ listeners: room.listeners } as never)
  })

  afterAll(async () => {
    await layer[Symbol.asyncDispose]()
    await room[Symbol.asyncDispose]()
    server.close()
    rmSync(directory, { recursive: true })
  })

  test('every claim holds, and the attacks behind it are not reported as the agent’s', async () => {
    const evidence = await layer.verify(room)
    expect(evidence.map(({ claim, held }) => [claim, held])).toEqual([
      ['no-way-but-the-gateway', true],
      ['host-loopback-unreachable', true],
      ['private-networks-unreachable', true],
      ['names-decided-by-policy', true],
    ])
    expect(denials).toEqual([])
  })

  test('control: outside the namespace no claim holds', async () => {
    const evidence = await layer.verify({ attempt: (attempts) => Promise.all(attempts.map(attemptHere)) })
    expect(evidence.map(({ claim, held }) => [claim, held])).toEqual([
      ['no-way-but-the-gateway', false],
      ['host-loopback-unreachable', false],
      ['private-networks-unreachable', false],
      ['names-decided-by-policy', false],
    ])
  })

  describe.each(clients)('%s', (name, argv) => {
    const evil = `${name.replace(' ', '-')}.evil.test`

    test('reaches an allowed host by name', async () => {
      visits.length = 0
      denials.length = 0
      const { code, stdout, stderr } = await room.run(argv('http://ok.test/'))
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/welcome|refs\/heads\/main/)
      expect(visits[0]).toMatch(/^ok\.test\//)
      expect(denials).toEqual([])
    })

    test('does not reach another name, with one event', async () => {
      visits.length = 0
      denials.length = 0
      const { code } = await room.run(argv(`http://${evil}/`))
      expect(code).not.toBe(0)
      expect(visits).toEqual([])
      expect(denials.map(({ reason, object, remedy }) => [reason, object, remedy])).toEqual([
        ['host_not_allowed', evil, `network.allow: [${evil}]`],
      ])
    })

    test('does not reach the host’s loopback', async () => {
      visits.length = 0
      const { code } = await room.run(argv(`http://127.0.0.1:${port}/`))
      expect(code).not.toBe(0)
      expect(visits).toEqual([])
    })

    test('control: without the layer it does', async () => {
      visits.length = 0
      const [program = '', ...rest] = argv(`http://127.0.0.1:${port}/`)
      expect(await ends(program, rest)).toBe(0)
      expect(visits.length).toBeGreaterThan(0)
    })
  })

  test('any IPv4 nameserver address answers the same', async () => {
    const ask = `
import socket, sys
for to in ("198.18.0.1", "8.8.8.8", "10.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
    s.connect((to, 53)); s.send(bytes.fromhex("000101000001000000000000") + b"\\x02ok\\x04test\\0\\0\\1\\0\\1")
    print(".".join(map(str, s.recv(512)[-4:])))
`
    expect((await room.run([python, '-c', ask])).stdout).toBe('198.18.1.0\n198.18.1.0\n198.18.1.0\n')
  })

  test('what has no listener is refused at once: other ports, QUIC, ICMP', async () => {
    const tries = `
import errno, socket, time
begun = time.monotonic()
s = socket.socket(); print(errno.errorcode[s.connect_ex(("198.18.1.0", 22))])
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(2); u.connect(("198.18.1.0", 443)); u.send(b"quic")
try: u.recv(1)
except OSError as e: print(errno.errorcode.get(e.errno, e))
print(time.monotonic() - begun < 1)
`
    expect((await room.run([python, '-c', tries])).stdout).toBe('ECONNREFUSED\nECONNREFUSED\nTrue\n')
  })

  test('servers of the agent’s own work among themselves, also with a mapped address', async () => {
    const own = `
import socket, threading, urllib.request, http.server
s = http.server.HTTPServer(("127.0.0.1", 3000), http.server.SimpleHTTPRequestHandler)
s.RequestHandlerClass.log_message = lambda *a: None
threading.Thread(target=s.serve_forever, daemon=True).start()
for host in ("localhost", "127.0.0.1", "[::ffff:127.0.0.1]"): print(urllib.request.urlopen(f"http://{host}:3000/", timeout=5).status)
`
    denials.length = 0
    expect((await room.run([python, '-c', own], { environment: { no_proxy: '*' } })).stdout).toBe('200\n200\n200\n')
    expect(denials).toEqual([])
  })

  test('a port of the gateway on the own loopback is refused and reported, never dialled', async () => {
    visits.length = 0
    denials.length = 0
    for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', '0.0.0.0', 'localhost']) {
      expect((await room.run(['curl', '-sS', '-m', '5', '--fail', `http://${host}/`])).code).not.toBe(0)
    }
    expect(visits).toEqual([])
    expect(new Set(denials.map(({ reason }) => reason))).toEqual(new Set(['own_loopback']))
  })

  test('the proxy port serves programs that ask for it', async () => {
    denials.length = 0
    expect((await room.run([...viaProxy, 'http://ok.test/'])).stdout).toBe('welcome')
    expect((await room.run([...viaProxy, 'http://ok.test/', '--proxytunnel'])).stdout).toBe('welcome')
    expect((await room.run([...viaProxy, 'http://evil.test/'])).stdout).toBe(
      'bulkhead: evil.test:80: no rule allows this host (host_not_allowed). Allowed by: network.allow: [evil.test]\n',
    )
    expect((await room.run([...viaProxy, 'http://127.0.0.1:1/'])).stdout).toContain('address_not_allowed')
    expect(denials.map(({ object }) => object)).toEqual(['evil.test:80', '127.0.0.1:1'])
  })

  test('twenty names at once and the connections to them', async () => {
    const many = `
import concurrent.futures, urllib.request
def one(n): return urllib.request.urlopen("http://ok.test/", timeout=10).read()
with concurrent.futures.ThreadPoolExecutor(50) as pool: print(set(pool.map(one, range(300))))
`
    expect((await room.run([python, '-c', many])).stdout).toBe("{b'welcome'}\n")
  })
})

function ends(program: string, argv: readonly string[]): Promise<number> {
  return new Promise((resolve) => void execFile(program, argv, (error) => resolve(error === null ? 0 : 1)))
}

/** The attempt as anybody on the host would make it; nothing but the loopback is really tried. */
function attemptHere(attempt: Attempt): Promise<Outcome> {
  if (attempt.op !== 'connect') throw new Error('not a connect')
  // As on a host whose network leads everywhere.
  if (!attempt.address.startsWith('127.')) return Promise.resolve({ ok: true, error: null, value: null })
  return new Promise((resolve) => {
    const socket = connect({ host: attempt.address, port: attempt.port })
    socket.once('connect', () => (socket.destroy(), resolve({ ok: true, error: null, value: null })))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve({ ok: false, error: error.code ?? '', value: null }))
  })
}
