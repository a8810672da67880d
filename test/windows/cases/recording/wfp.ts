/** What the network wall asks of the Windows Filtering Platform: exactly this, in this order, and nothing of it stays when a call fails. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BulkheadError } from '../../../../core/contracts/index.ts'
import { closeNetwork, grantFiltering, mayFilter, revokeFiltering, userOfThisProcess } from '../../../../native/windows/wfp.ts'
import type { Call } from '../../support/calls.ts'
import { callsSince, failing, recorded } from '../../support/calls.ts'

const account = 'S-1-5-21-7-8-9-1005'
const port = 49_152
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whom the filters are for: the account; the rest is for its restricted tokens. */
const user = { field: 'user', match: 'equal', type: 14, value: `D:P(A;;0x1;;;${account})(A;;0x1;;;S-1-5-12)(A;;0x1;;;S-1-5-33)` }
const tcp = { field: 'protocol', match: 'equal', type: 1, value: 6 }
const raw = { field: 'flags', match: 'any-set', type: 3, value: 0x10 }
const gateway = [
  { field: 'remote-address', match: 'equal', type: 3, value: '127.0.0.1' },
  { field: 'remote-port', match: 'equal', type: 2, value: port },
]

type Filter = readonly [layer: string, action: 'block' | 'permit', weight: number, conditions: readonly unknown[]]

/** In the order in which they are added. */
const filters: readonly Filter[] = [
  ...['connect', 'accept', 'listen', 'assign'].flatMap((layer) =>
    ['v4', 'v6'].map((family): Filter => [`${layer}-${family}`, 'block', 1, [user]]),
  ),
  ['assign-v4', 'permit', 8, [user, tcp]],
  ['assign-v6', 'permit', 8, [user, tcp]],
  ['assign-v4', 'block', 15, [user, raw]],
  ['assign-v6', 'block', 15, [user, raw]],
  ['connect-v4', 'permit', 8, [user, tcp, ...gateway]],
]

const opening = ['FwpmEngineOpen0', 'FwpmTransactionBegin0', 'FwpmProviderAdd0', 'FwpmSubLayerAdd0', ...filters.map(() => 'FwpmFilterAdd0')]
const names = (calls: readonly Call[]): readonly string[] => calls.map(({ call }) => call)

describe('closing the network of an account', () => {
  test('is one transaction of one dynamic session', async () => {
    await using wall = await closeNetwork(account, port)
    assert.ok(wall)
    const [open, begin] = callsSince(0)
    assert.deepEqual(open?.in, { server: null, authentication: 10, identity: false, flags: '0x1', name: 'Bulkhead' })
    assert.deepEqual(begin?.in, { flags: '0x0' })
  })

  test('adds exactly these filters, in a sublayer of the greatest weight, all under keys of this wall', async () => {
    const { calls } = await recorded(async () => (await closeNetwork(account, port))[Symbol.asyncDispose]())
    assert.deepEqual(names(calls), [...opening, 'FwpmTransactionCommit0', 'FwpmEngineClose0'])
    const [, , provider, sublayer] = calls
    assert.match(String(provider?.in['key']), uuid)
    assert.match(String(sublayer?.in['key']), uuid)
    assert.deepEqual(provider?.in, { key: provider?.in['key'], name: 'Bulkhead', flags: '0x0', descriptor: false })
    assert.deepEqual(sublayer?.in, {
      key: sublayer?.in['key'],
      name: 'Bulkhead',
      flags: '0x0',
      provider: provider?.in['key'],
      weight: 0xffff,
      descriptor: false,
    })
    const added = calls.filter(({ call }) => call === 'FwpmFilterAdd0').map((one) => one.in)
    assert.deepEqual(
      added,
      filters.map(([layer, action, weight, conditions]) => ({
        key: '00000000-0000-0000-0000-000000000000',
        name: action === 'block' ? 'Bulkhead: an agent reaches nothing' : 'Bulkhead: an agent reaches its gateway',
        layer,
        sublayer: sublayer?.in['key'],
        provider: provider?.in['key'],
        // A block cannot be overridden by another sublayer; a permission can be vetoed.
        flags: action === 'block' ? '0x8' : '0x0',
        weightType: 1,
        weight,
        action,
        conditions,
        descriptor: false,
      })),
    )
  })

  test('gives every wall keys of its own', async () => {
    const keys = async (): Promise<readonly unknown[]> => {
      const { calls } = await recorded(async () => (await closeNetwork(account, port))[Symbol.asyncDispose]())
      return calls.slice(2, 4).map((call) => call.in['key'])
    }
    assert.equal(new Set([...(await keys()), ...(await keys())]).size, 4)
  })

  test('asks nothing for what is no account', async () => {
    for (const wrong of ['', 'agent', 'S-1-5-21-7-8-9-1005)(A;;CC;;;WD']) {
      const { calls, error } = await recorded(() => closeNetwork(wrong, port))
      assert.ok(BulkheadError.is(error), wrong)
      assert.deepEqual(calls, [])
    }
  })
})

describe('a failure at any call leaves nothing', () => {
  const everyCall = [...opening, 'FwpmTransactionCommit0']
  everyCall.forEach((name, index) => {
    const count = everyCall.slice(0, index + 1).filter((other) => other === name).length
    test(`${name} ${count}`, async () => {
      const { calls, error } = await recorded(() => failing([[name, count, '0x80320009']], () => closeNetwork(account, port)))
      assert.ok(BulkheadError.is(error))
      assert.equal(error.code, 'native_failed')
      assert.equal(error.message, `${name} failed with 0x80320009`)
      const undoing = index === 0 ? [] : index === 1 ? ['FwpmEngineClose0'] : ['FwpmTransactionAbort0', 'FwpmEngineClose0']
      assert.deepEqual(names(calls), [...everyCall.slice(0, index + 1), ...undoing])
    })
  })

  test('also when the transaction cannot be aborted: the session ends all the same, and what failed first is told', async () => {
    const faults = [
      ['FwpmFilterAdd0', 3, '0x80320009'],
      ['FwpmTransactionAbort0', 1, '0x8032000d'],
    ] as const
    const { calls, error } = await recorded(() => failing(faults, () => closeNetwork(account, port)))
    assert.ok(BulkheadError.is(error))
    assert.equal(error.message, 'FwpmFilterAdd0 failed with 0x80320009')
    assert.deepEqual(names(calls).slice(-2), ['FwpmTransactionAbort0', 'FwpmEngineClose0'])
  })

  test('access denied has its name', async () => {
    const { error } = await recorded(() => failing([['FwpmProviderAdd0', 1, '0x5']], () => closeNetwork(account, port)))
    assert.ok(BulkheadError.is(error))
    assert.equal(error.details.nativeCode, 'EACCES')
  })
})

describe('opening it again', () => {
  test('ends the session, once', async () => {
    const wall = await closeNetwork(account, port)
    const { calls } = await recorded(async () => {
      await wall[Symbol.asyncDispose]()
      await wall[Symbol.asyncDispose]()
    })
    assert.deepEqual(names(calls), ['FwpmEngineClose0'])
  })

  test('that fails is told', async () => {
    const wall = await closeNetwork(account, port)
    const { error } = await recorded(() => failing([['FwpmEngineClose0', 1, '0x6']], () => wall[Symbol.asyncDispose]()))
    assert.ok(BulkheadError.is(error))
    assert.equal(error.message, 'FwpmEngineClose0 failed with EBADF')
  })
})

describe('the right to add filters', () => {
  const me = userOfThisProcess()
  /** The engine's own list ("Access Control", Windows Filtering Platform). */
  const own = 'D:(A;OICI;0x10000000;;;S-1-5-32-544)(A;OICI;0xe0000000;;;S-1-5-32-556)(A;OICI;0x50;;;S-1-1-0)'
  const listAfter = async (act: () => Promise<unknown>): Promise<unknown> => {
    const { calls, error } = await recorded(act)
    if (error !== undefined) throw error
    return calls.find(({ call }) => call === 'FwpmEngineSetSecurityInfo0')?.in['dacl']
  }

  test('is one entry at the end of the engine’s list, made outside of a dynamic session', async () => {
    assert.match(me, /^S-1-5-21-/)
    assert.equal(await mayFilter(me), false)
    const { calls } = await recorded(() => grantFiltering(me))
    assert.deepEqual(names(calls), ['FwpmEngineOpen0', 'FwpmEngineGetSecurityInfo0', 'FwpmEngineSetSecurityInfo0', 'FwpmEngineClose0'])
    assert.equal(calls[0]?.in['flags'], '0x0')
    assert.deepEqual(calls[2]?.in, { info: '0x4', dacl: `${own}(A;OICI;0x2004f;;;${me})` })
    assert.equal(await mayFilter(me), true)
  })

  test('that is there already is left alone', async () => {
    assert.equal(await listAfter(() => grantFiltering(me)), undefined)
    assert.equal(await mayFilter('S-1-5-21-7-8-9-1006'), false)
  })

  test('is taken away without touching other entries', async () => {
    assert.equal(await listAfter(() => grantFiltering(account)), `${own}(A;OICI;0x2004f;;;${me})(A;OICI;0x2004f;;;${account})`)
    assert.equal(await listAfter(() => revokeFiltering(me)), `${own}(A;OICI;0x2004f;;;${account})`)
    assert.equal(await listAfter(() => revokeFiltering(me)), undefined)
    assert.equal(await listAfter(() => revokeFiltering(account)), own)
  })

  for (const name of ['FwpmEngineOpen0', 'FwpmEngineGetSecurityInfo0', 'FwpmEngineSetSecurityInfo0']) {
    test(`a failure of ${name} changes nothing`, async () => {
      const { calls, error } = await recorded(() => failing([[name, 1, '0x5']], () => grantFiltering(me)))
      assert.ok(BulkheadError.is(error))
      assert.equal(error.message, `${name} failed with EACCES`)
      assert.equal(names(calls).at(-1), name === 'FwpmEngineOpen0' ? name : 'FwpmEngineClose0')
      assert.equal(await mayFilter(me), false)
    })
  }
})
