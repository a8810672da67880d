/** The double itself: connections meet the filters that a program added, and nobody else's do. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { outcomes, selftest, sids } from '../../support/confined.ts'

async function listening(host: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  server.listen(0, host)
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** What the attempts come to while a wall for the users of `sddl` stands. Not synchronous: this process accepts the connections. */
async function behind(sddl: string, port: number, options: readonly string[], attempts: readonly string[]): Promise<readonly string[]> {
  const command = [selftest('attempts'), ...attempts].map((text) => `"${text}"`).join(' ')
  const { stdout } = await promisify(execFile)(selftest('wall'), [sddl, String(port), ...options, '--', command], { encoding: 'utf8' })
  return [...outcomes(stdout).values()]
}

describe('a wall around a user', () => {
  let gateway: Server
  let other: Server
  before(async () => {
    gateway = await listening('127.0.0.1')
    other = await listening('127.0.0.1')
  })
  after(() => {
    gateway.close()
    other.close()
  })
  const mine = `D:(A;;CC;;;${sids.user})`
  const attempts = (): readonly string[] => [
    `connect|127.0.0.1|${portOf(gateway)}`,
    `connect|127.0.0.1|${portOf(other)}`,
    `connect|::ffff:127.0.0.1|${portOf(other)}`,
    `connect|::1|${portOf(other)}`,
    `send|127.0.0.1|${portOf(gateway)}`,
  ]
  const refused = '10013'

  test('leaves the gateway open and nothing else', async () => {
    assert.deepEqual(await behind(mine, portOf(gateway), [], attempts()), ['ok', refused, refused, refused, refused])
  })
  for (const [what, sddl, options] of [
    ['another user’s', `D:(A;;CC;;;${sids.workspace})`, []],
    ['aborted', mine, ['--abort']],
    ['closed', mine, ['--close']],
  ] as const) {
    test(`refuses nothing when it is ${what}`, async () => {
      const answers = await behind(sddl, portOf(gateway), options, attempts())
      assert.deepEqual([answers[0], answers[1], answers[4]], ['ok', 'ok', 'ok'])
      assert.equal(answers.includes(refused), false)
    })
  }
  test('falls with the program that built it', async () => {
    await behind(mine, portOf(gateway), [], attempts())
    const { stdout } = await promisify(execFile)(selftest('attempts'), [...attempts()], { encoding: 'utf8' })
    assert.equal(outcomes(stdout).get(attempts()[1] ?? ''), 'ok')
  })
})
