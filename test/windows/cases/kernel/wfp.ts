/** Filters on an account hold for every process of it, reach nobody else, and go with the process that set them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import koffi from 'koffi'
import { closeNetwork, userOfThisProcess } from '../../../../native/windows/wfp.ts'
import type { Tries } from '../../support/network-agent.ts'
import { tryNetwork } from '../../support/network-agent.ts'

const servers: Server[] = []
let tries: Tries
let gatewayPort = 0

async function serve(address: string): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  servers.push(server.listen(0, address))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

before(async () => {
  gatewayPort = await serve('127.0.0.1')
  const [other, six] = [await serve('127.0.0.1'), await serve('::1')]
  tries = {
    gateway: ['tcp', '127.0.0.1', gatewayPort],
    'another port': ['tcp', '127.0.0.1', other],
    'IPv6 loopback': ['tcp', '::1', six],
    'IPv4 in IPv6': ['tcp', '::ffff:127.0.0.1', other],
    'a datagram': ['udp', '127.0.0.1', other],
    'a datagram over IPv6': ['udp', '::1', six],
    'a socket for datagrams': ['bind', '127.0.0.1', 0],
    'a socket for datagrams over IPv6': ['bind', '::1', 0],
    'listening on the loopback': ['listen', '127.0.0.1', 0],
    'listening on IPv4': ['listen', '0.0.0.0', 0],
    'listening on everything': ['listen', '::', 0],
  }
})
after(() => servers.forEach((server) => server.close()))

const open = (): Readonly<Record<string, string>> => Object.fromEntries(Object.keys(tries).map((name) => [name, 'ok']))
const closed = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.keys(tries).map((name) => [name, 'EACCES'])),
  gateway: 'ok',
})

/** Binds a raw socket that speaks TCP, which no permission for TCP may cover. 0, or the number of the error. */
function bindRaw(): number {
  const winsock = koffi.load('ws2_32.dll')
  const started = winsock.func('int WSAStartup(uint16_t version, _Out_ uint8_t *data)')(0x202, Buffer.alloc(512)) as number
  if (started !== 0) return started
  const lastError = winsock.func('int WSAGetLastError()') as () => number
  const socket = winsock.func('uint64_t socket(int family, int type, int protocol)')(2, 3, 6) as number
  const address = Buffer.from([2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  const bound = winsock.func('int bind(uint64_t socket, const uint8_t *address, int size)')(socket, address, address.length) as number
  const error = bound === 0 ? 0 : lastError()
  winsock.func('int closesocket(uint64_t socket)')(socket)
  return error
}

/** Somebody else who holds a wall until he is killed. */
async function startHolder(account: string): Promise<AsyncDisposable> {
  const module = pathToFileURL(join(process.env['BULKHEAD_STAGE'] ?? '', 'dist', 'native', 'windows', 'wfp.js')).href
  const text = `import(${JSON.stringify(module)}).then(async ({ closeNetwork }) => {
    globalThis.wall = await closeNetwork(${JSON.stringify(account)}, ${gatewayPort})
    process.stdout.write('closed')
    setInterval(() => undefined, 1000)
  })`
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [said] = (await Promise.race([once(child.stdout, 'data'), exited])) as [Buffer | number]
  assert.equal(String(said), 'closed')
  return {
    async [Symbol.asyncDispose]() {
      // TerminateProcess: nothing of its own runs any more.
      child.kill('SIGKILL')
      await exited
    },
  }
}

describe('a wall for the account that this runs as', () => {
  const me = userOfThisProcess()

  test('control: without it everything is open', async () => assert.deepEqual(await tryNetwork(tries), open()))

  test('leaves the gateway, to a process and to its children', async () => {
    await using wall = await closeNetwork(me, gatewayPort)
    assert.ok(wall)
    assert.deepEqual(await tryNetwork(tries), closed())
    assert.deepEqual(await tryNetwork(tries, { deep: true }), closed())
  })

  test('refuses addresses that are nobody’s, by the filter and not for want of a way', async () => {
    await using wall = await closeNetwork(me, gatewayPort)
    assert.ok(wall)
    const strangers = {
      'a documentation address': ['tcp', '192.0.2.77', 443],
      'the same port elsewhere': ['tcp', '127.0.0.2', gatewayPort],
    } as const
    assert.deepEqual(await tryNetwork(strangers), { 'a documentation address': 'EACCES', 'the same port elsewhere': 'EACCES' })
  })

  test('refuses raw sockets, also such that speak TCP', async () => {
    assert.equal(bindRaw(), 0, 'control')
    await using wall = await closeNetwork(me, gatewayPort)
    assert.ok(wall)
    assert.equal(bindRaw(), 10_013)
  })

  test('is gone when it is opened again', async () => {
    await (await closeNetwork(me, gatewayPort))[Symbol.asyncDispose]()
    assert.deepEqual(await tryNetwork(tries), open())
  })

  test('stands while one of two is left', async () => {
    const first = await closeNetwork(me, gatewayPort)
    await using second = await closeNetwork(me, gatewayPort)
    assert.ok(second)
    await first[Symbol.asyncDispose]()
    assert.deepEqual(await tryNetwork(tries), closed())
  })

  test('goes with the process that holds it, also when that is killed', async () => {
    {
      await using holder = await startHolder(me)
      assert.ok(holder)
      assert.deepEqual(await tryNetwork(tries), closed())
    }
    assert.deepEqual(await tryNetwork(tries), open())
  })

  test('reaches no other account', async () => {
    await using wall = await closeNetwork('S-1-5-21-7-8-9-1005', gatewayPort)
    assert.ok(wall)
    assert.deepEqual(await tryNetwork(tries), open())
  })
})
