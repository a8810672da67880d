/**
 * The filters see the agent as it really is: with a restricted token, which the system checks twice. Tried through the product's launcher, by
 * the acts that prove the wall before every start.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Attempt, RestrictedToken } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { closeNetwork, userOfThisProcess } from '../../../../native/windows/wfp.ts'
import { bareParts, command, restrictedToken } from '../../support/specs.ts'

const launcher = createLauncher()
const gateway = createServer((socket) => socket.destroy())
const other = createServer((socket) => socket.destroy())
before(async () => {
  for (const server of [gateway, other]) await once(server.listen(0, '127.0.0.1'), 'listening')
})
after(async () => {
  gateway.close()
  other.close()
  await launcher[Symbol.asyncDispose]()
})

const portOf = (server: typeof gateway): number => (server.address() as AddressInfo).port

/** What comes of connecting to the gateway and elsewhere, listening and sending: `ok`, or the name of the error. */
async function outcomes(token: RestrictedToken | null): Promise<readonly string[]> {
  const acts: readonly Attempt[] = [
    { op: 'connect', address: '127.0.0.1', port: portOf(gateway) },
    { op: 'connect', address: '127.0.0.1', port: portOf(other) },
    ...['listen-v4', 'listen-v6', 'datagram-v4', 'datagram-v6'].map((name): Attempt => ({ op: 'syscall', name })),
  ]
  await using sandbox = await launcher.launch({ ...bareParts, token, command: command(['node']) }, { kind: 'pipes' })
  return (await sandbox.attempt(acts)).map(({ ok, error }) => (ok ? 'ok' : (error ?? '')))
}

const closed = ['ok', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES']

const tokens: readonly (readonly [string, RestrictedToken | null])[] = [
  ['the user’s own token', null],
  ['blind', restrictedToken()],
  ['write-restricted', restrictedToken({ tier: 'write-restricted' })],
]

describe('a process with', () => {
  for (const [name, token] of tokens) {
    test(`${name}: the wall holds, and is what holds`, async () => {
      const [reached, elsewhere, ...rest] = await outcomes(token)
      assert.deepEqual([reached, elsewhere, ...rest.filter((_, index) => index !== 3)], ['ok', 'ok', 'ok', 'ok', 'ok'], 'control')
      // Over IPv6 there may be no way to a documentation address; what matters is that no filter says so.
      assert.notEqual(rest[3], 'EACCES', 'control')
      await using wall = await closeNetwork(userOfThisProcess(), portOf(gateway))
      assert.ok(wall)
      assert.deepEqual(await outcomes(token), closed)
    })
  }
})
