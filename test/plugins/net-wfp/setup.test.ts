import { describe, expect, test } from 'vitest'
import type { Receipt, SetupContext } from '../../../core/contracts/index.ts'
import { wfpSetup } from '../../../plugins/net-wfp/setup.ts'
import { fakeHost } from '../../support/fake-request.ts'
import { FakeFiltering, user } from './fake-filtering.ts'

const other = 'S-1-5-21-9-9-9-1002'
const receipt = (who: string): Receipt => ({ plugin: 'net-wfp', data: { kind: 'filtering-granted', user: who } })

function setting(recorded: readonly Receipt[] = []) {
  const filtering = new FakeFiltering()
  const told: string[] = []
  const stored: Receipt[] = [...recorded]
  const context: SetupContext = {
    host: fakeHost,
    options: { accounts: null },
    signal: new AbortController().signal,
    get recorded() {
      return [...stored]
    },
    record: async (one) => {
      filtering.log.push('record')
      stored.push(one)
    },
    report: (line) => told.push(line),
  }
  return { filtering, context, told, stored, setup: wfpSetup(filtering) }
}

describe('installing', () => {
  test('lets the user set filters, after recording it; a second time there is nothing to do', async () => {
    const { filtering, context, told, stored, setup } = setting()
    expect(await setup.describe('install', context)).toEqual([`let ${user} add network filters`])
    await setup.install(context)
    expect(filtering.log).toEqual(['record', `grant ${user}`])
    expect(stored).toEqual([receipt(user)])
    expect(told).toEqual([`${user} may add network filters`])
    expect(await setup.describe('install', context)).toEqual([])
    await setup.install(context)
    expect(filtering.log).toHaveLength(2)
  })

  test('continues after a crash between receipt and effect, without a second receipt', async () => {
    const { filtering, context, setup } = setting([receipt(user)])
    await setup.install(context)
    expect(filtering.log).toEqual([`grant ${user}`])
  })

  test('a failure is told, and what was recorded stays', async () => {
    const { filtering, context, stored, setup } = setting()
    filtering.fail = `grant ${user}`
    await expect(setup.install(context)).rejects.toMatchObject({ code: 'native_failed' })
    expect(stored).toEqual([receipt(user)])
  })

  test('who may not even look has not been let', async () => {
    const { filtering, context, setup } = setting()
    filtering.blind = true
    expect(await setup.describe('install', context)).toEqual([`let ${user} add network filters`])
  })
})

describe('removing', () => {
  test('takes it from everybody who was let, and from the user also without a receipt', async () => {
    const { filtering, context, setup } = setting([receipt(other), { plugin: 'net-wfp', data: 'nonsense' }])
    filtering.granters.add(other).add(user)
    expect(await setup.describe('remove', context)).toEqual([`take that from ${other}`, `take that from ${user}`])
    await setup.remove(context)
    expect([...filtering.granters]).toEqual([])
    expect(await setup.describe('remove', context)).toEqual([])
    await setup.remove(context)
    expect(filtering.log).toEqual([`revoke ${other}`, `revoke ${user}`])
  })

  test('goes on after a failure, and tells it', async () => {
    const { filtering, context, setup } = setting([receipt(other)])
    filtering.granters.add(other).add(user)
    filtering.fail = `revoke ${other}`
    await expect(setup.remove(context)).rejects.toMatchObject({ code: 'native_failed' })
    expect([...filtering.granters]).toEqual([other])
  })

  test('without rights to look, what was recorded counts as there', async () => {
    const { filtering, context, setup } = setting([receipt(other)])
    filtering.blind = true
    expect(await setup.describe('remove', context)).toEqual([`take that from ${other}`])
  })
})
