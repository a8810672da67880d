import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { AppliedLayer, ApplyContext, Attempt, Denial, LaunchSpec, Outcome, PlanContext } from '../../../core/contracts/index.ts'
import { wfpPlugin } from '../../../plugins/net-wfp/plugin.ts'
import { applyContext, emptyPolicy, planContext } from '../../support/fake-request.ts'
import { agentAccount, denied, FakeFiltering, user } from './fake-filtering.ts'

const spec: LaunchSpec = {
  command: { argv: ['cmd'], directory: 'C:\\w', environment: { PATH: 'C:\\bin', HTTP_PROXY: 'http://elsewhere:1', No_Proxy: '*' } },
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

interface Setting {
  readonly filtering?: FakeFiltering
  readonly plan?: Partial<PlanContext>
  readonly apply?: Partial<ApplyContext>
  readonly options?: unknown
}

function applied({ filtering = new FakeFiltering(), plan = {}, apply = {}, options = {} }: Setting = {}): Promise<AppliedLayer> {
  const plugin = wfpPlugin(filtering)
  const planned = plugin.plan(emptyPolicy, plugin.options.parse(options), planContext({ capabilities: ['account'], ...plan }))
  return plugin.apply(planned, applyContext({ provided: { account: agentAccount }, ...apply }))
}

const portOf = (layer: AppliedLayer): number => {
  const { network } = layer.contribute(spec)
  return network?.mechanism === 'windows-wfp' ? network.gatewayPort : 0
}

/** What a Node of the wrong kind would answer: everything succeeds, or nothing does for another reason than a filter. */
const answers =
  (of: (attempt: Attempt) => Outcome) =>
  async (attempts: readonly Attempt[]): Promise<readonly Outcome[]> =>
    attempts.map(of)
const ok: Outcome = { ok: true, error: null, value: null }
const no = (error: string): Outcome => ({ ok: false, error, value: null })

describe('applying', () => {
  test('closes the network of the account but for the port it then names', async () => {
    const filtering = new FakeFiltering()
    const layer = await applied({ filtering })
    const { network, command } = layer.contribute(spec)
    const port = portOf(layer)
    expect(port).toBeGreaterThan(0)
    expect(network).toEqual({ mechanism: 'windows-wfp', gatewayPort: port })
    expect([...filtering.walls]).toEqual([`${agentAccount}:${port}`])
    const url = command.environment['http_proxy']
    expect(url).toMatch(new RegExp(`^http://bulkhead:[\\w-]{32}@127\\.0\\.0\\.1:${port}$`))
    // On Windows two spellings would be one variable, and whose it is would be chance.
    expect(command.environment).toEqual({ PATH: 'C:\\bin', http_proxy: url, https_proxy: url, no_proxy: 'localhost,127.0.0.1,::1' })
    await layer[Symbol.asyncDispose]()
    expect([...filtering.walls]).toEqual([])
    await expect(dialled(port)).resolves.toBe('ECONNREFUSED')
  })

  test('every launch has credentials of its own', async () => {
    await using one = await applied()
    await using two = await applied()
    const [first, second] = [one, two].map((layer) => new URL(layer.contribute(spec).command.environment['http_proxy'] ?? '').password)
    expect(first).not.toBe(second)
  })

  test('names nothing where no variables are wanted', async () => {
    await using layer = await applied({ options: { proxyVariables: false } })
    expect(layer.contribute(spec).command).toEqual(spec.command)
  })

  test.each([
    ['no layer said which', {}],
    ['everybody', { account: 'S-1-1-0' }],
    ['the users of this machine', { account: 'S-1-5-32-545' }],
    ['the user', { account: user }],
    ['no SID', { account: 'agent)(A;;CC;;;WD' }],
  ] as const)('refuses to filter an account that is none: %s', async (_, provided) => {
    const filtering = new FakeFiltering()
    await expect(applied({ filtering, apply: { provided } })).rejects.toMatchObject({ code: 'plugin_failed' })
    expect(filtering.log).toEqual([])
  })

  test('a wall that cannot be built leaves no gateway', async () => {
    const filtering = new FakeFiltering()
    const seen: number[] = []
    filtering.close = (_, port) => {
      seen.push(port)
      return Promise.reject(denied('FwpmFilterAdd0'))
    }
    await expect(applied({ filtering })).rejects.toMatchObject({ code: 'native_failed' })
    expect(seen).toHaveLength(1)
    await expect(dialled(seen[0] ?? 0)).resolves.toBe('ECONNREFUSED')
  })

  test('a launch that was given up opens nothing', async () => {
    const filtering = new FakeFiltering()
    await expect(applied({ filtering, apply: { signal: AbortSignal.abort(new Error('stop')) } })).rejects.toThrow('stop')
    expect(filtering.log).toEqual([])
  })

  test('a wall that does not come down is told', async () => {
    const filtering = new FakeFiltering()
    const layer = await applied({ filtering })
    filtering.fail = 'open again'
    await expect(layer[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'native_failed' })
    expect(filtering.walls.size).toBe(1)
  })
})

describe('degraded', () => {
  const without: Setting = { plan: { capabilities: [] }, apply: { provided: {} } }

  test('sets no filter, claims nothing, and offers the gateway', async () => {
    const filtering = new FakeFiltering()
    await using layer = await applied({ filtering, ...without })
    const { network, command } = layer.contribute(spec)
    expect(network).toBeNull()
    expect(command.environment['https_proxy']).toMatch(/^http:\/\/bulkhead:/)
    expect(filtering.log).toEqual([])
    expect(await layer.verify({ attempt: () => Promise.reject(new Error('nothing to attack')) })).toEqual([])
  })
})

describe('verifying', () => {
  const claims = ['only-the-gateway-answers', 'host-loopback-unreachable', 'nothing-listens', 'no-datagrams', 'gateway-is-the-jobs-own']
  const held = async (of: (attempt: Attempt, port: number) => Outcome): Promise<readonly string[]> => {
    await using layer = await applied()
    const port = portOf(layer)
    const evidence = await layer.verify({ attempt: answers((attempt) => of(attempt, port)) })
    expect(evidence.map(({ claim }) => claim)).toEqual(claims)
    return evidence.filter((one) => one.held).map(({ claim }) => claim)
  }
  const isGateway = (attempt: Attempt, port: number): boolean =>
    attempt.op === 'connect' && attempt.address === '127.0.0.1' && attempt.port === port
  /** What the filters bring about. */
  const walls = (attempt: Attempt, port: number): Outcome => (isGateway(attempt, port) ? ok : no('EACCES'))

  test('believes the wall', async () => {
    expect(await held(walls)).toEqual(claims)
  })

  test('believes nothing of a world without one, of one where all fails, and of silence', async () => {
    expect(await held(() => ok)).toEqual(['gateway-is-the-jobs-own'])
    expect(await held(() => no('ECONNREFUSED'))).toEqual([])
    await using layer = await applied()
    expect((await layer.verify({ attempt: async () => [] })).filter((one) => one.held)).toEqual([])
  })

  test.each([
    [
      'a stranger is reached',
      (attempt: Attempt) => attempt.op === 'connect' && attempt.address === '192.0.2.77',
      'only-the-gateway-answers',
    ],
    [
      'another loopback address is open',
      (attempt: Attempt) => attempt.op === 'connect' && attempt.address === '127.0.0.2',
      'only-the-gateway-answers',
    ],
    ['TCP can be listened on', (attempt: Attempt) => attempt.op === 'syscall' && attempt.name === 'listen-v4', 'nothing-listens'],
    ['TCP can be listened on over IPv6', (attempt: Attempt) => attempt.op === 'syscall' && attempt.name === 'listen-v6', 'nothing-listens'],
    ['datagrams leave', (attempt: Attempt) => attempt.op === 'syscall' && attempt.name === 'datagram-v4', 'no-datagrams'],
  ] as const)('%s', async (_, hole, broken) => {
    expect(await held((attempt, port) => (hole(attempt) ? ok : walls(attempt, port)))).toEqual(claims.filter((claim) => claim !== broken))
  })

  test('a gateway that is not reached is no gateway', async () => {
    expect(await held(() => no('EACCES'))).toEqual(['host-loopback-unreachable', 'nothing-listens', 'no-datagrams'])
  })

  test('a machine without a network still proves the wall by its own loopback', async () => {
    const alone = (attempt: Attempt, port: number): Outcome =>
      attempt.op === 'connect' && /^(192|198)\./.test(attempt.address) ? no('ENETUNREACH') : walls(attempt, port)
    expect(await held(alone)).toEqual(claims)
  })

  test('our own attacks are not reported as denials', async () => {
    const denials: Denial[] = []
    await using layer = await applied({ apply: { report: (denial) => denials.push(denial) } })
    await layer.verify({ attempt: answers((attempt) => walls(attempt, portOf(layer))) })
    expect(denials).toEqual([])
  })
})

test('a decoy counts its visitors, so that a wall that lets through is seen even if the attempt lies', async () => {
  await using layer = await applied()
  const evidence = await layer.verify({
    attempt: async (attempts) => {
      for (const attempt of attempts) if (attempt.op === 'connect' && attempt.port > 1024) await dialled(attempt.port, attempt.address)
      return attempts.map(() => no('EACCES'))
    },
  })
  expect(evidence.find(({ claim }) => claim === 'host-loopback-unreachable')).toMatchObject({ held: false })
})

/** `connected`, or the code of the error. */
function dialled(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 500 })
    const finish = (text: string): void => {
      socket.destroy()
      resolve(text)
    }
    socket.once('connect', () => finish('connected'))
    socket.once('timeout', () => finish('ETIMEDOUT'))
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
  })
}

test('the helper of these tests can tell an open port from a closed one', async () => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await dialled(port)).toBe('connected')
  await new Promise((resolve) => void server.close(resolve))
  expect(await dialled(port)).toBe('ECONNREFUSED')
})
