import { describe, expect, test } from 'vitest'
import { accountName, groupRights, secretDescriptor } from '../../../plugins/token-account/names.ts'
import { accountSetup } from '../../../plugins/token-account/setup.ts'
import { FakeMachine } from './fake-machine.ts'

const owner = 'S-1-5-21-1-2-3-1001'
const [first, second] = [accountName(owner, 1), accountName(owner, 2)]
const secretOf = (name: string): string => `/pool/${name}.secret`

function setting() {
  const machine = new FakeMachine()
  const before = machine.state()
  return { machine, before, setup: accountSetup(() => machine) }
}

async function installed() {
  const world = setting()
  await world.setup.install(world.machine.context())
  return world
}

test('names are short enough, the same each time, and others for another user', () => {
  expect(first).toMatch(/^bulkhead-[a-z0-9]{6}-01$/)
  expect(first.length).toBeLessThanOrEqual(20)
  expect(accountName(owner, 1)).toBe(first)
  expect(accountName('S-1-5-21-1-2-3-1002', 1)).not.toBe(first)
})

test('installing makes everything in order, with a receipt before each effect', async () => {
  const { machine, setup } = setting()
  await setup.install(machine.context())
  const account = (name: string) => [
    'receipt account',
    `secret ${name} ${secretDescriptor(owner, false)}`,
    `account ${name}`,
    `keep secret ${name}`,
    'receipt account',
    `join ${machine.groups.get('BulkheadAgents')?.sid}`,
    'join S-1-5-32-545',
    `hide ${name}`,
  ]
  expect(machine.log).toEqual([
    'receipt directory',
    'directory /pool',
    'receipt group',
    'group BulkheadAgents',
    'rights',
    ...account(first),
    ...account(second),
    'receipt programs',
    'write /native',
    'receipt programs',
    'write /native/bulkhead-launcher.exe',
  ])
  expect(machine.objects.get('/pool')?.sddl).toBe(secretDescriptor(owner, true))
  expect([...(machine.rightsBySid.get(machine.groups.get('BulkheadAgents')?.sid ?? '') ?? [])]).toEqual(groupRights)
  expect(machine.objects.get('/native')?.sddl).toBe('D:(A;OICI;0x1200a9;;;BU)(A;OICIID;FA;;;SY)')
  expect(machine.reported).toEqual([
    'made /pool',
    'made the local group BulkheadAgents',
    `made the local account ${first}`,
    `made the local account ${second}`,
    'local users can read /native',
    'local users can read /native/bulkhead-launcher.exe',
  ])
  expect(await setup.describe('install', machine.context())).toEqual([])
})

test('nobody may log on to an account but locally, which starting a program needs', () => {
  expect(groupRights).not.toContain('SeDenyInteractiveLogonRight')
  expect(groupRights.filter((right) => right.startsWith('SeDeny'))).toHaveLength(4)
})

test('describing changes nothing and says what installing and removing would do', async () => {
  const { machine, before, setup } = setting()
  expect(await setup.describe('install', machine.context(1))).toEqual([
    'make /pool, where passwords are kept that only you can open',
    'make the local group BulkheadAgents: its members may log on locally, and not over the network, remotely, as a batch job or as a service',
    `make the local account ${first}: an ordinary user with a random password, hidden on the sign-in screen`,
    'let local users read /native',
    'let local users read /native/bulkhead-launcher.exe',
  ])
  expect(await setup.describe('remove', machine.context())).toEqual([])
  expect(machine.log).toEqual([])
  expect(machine.state()).toEqual(before)
  await setup.install(machine.context(1))
  expect(await setup.describe('remove', machine.context())).toEqual([
    `remove the local account ${first} with its profile, and end what runs under it`,
    'take back that local users can read /native/bulkhead-launcher.exe',
    'take back that local users can read /native',
    'remove the local group BulkheadAgents with its rights',
    'delete /pool with the passwords',
  ])
})

test('without rights to read the policy it is taken for granted', async () => {
  const { machine, setup } = await installed()
  machine.mayReadRights = false
  expect(await setup.describe('install', machine.context())).toEqual([])
})

test('removing undoes everything, also what agents left, and again does nothing', async () => {
  const { machine, before, setup } = await installed()
  for (const { sid } of machine.accountsByName.values()) {
    machine.profiles.add(sid)
    machine.processes.push(sid, sid)
  }
  await setup.remove(machine.context())
  expect(machine.state()).toEqual(before)
  expect(await setup.describe('remove', { ...machine.context(), recorded: [] })).toEqual([])
  await setup.remove({ ...machine.context(), recorded: [] })
})

describe('killed before any change', () => {
  const total = 25
  test('of as many as there are', async () => {
    const { machine } = await installed()
    expect(machine.log).toHaveLength(total)
  })
  test.each(Array.from({ length: total }, (_, at) => at))('%d of installing: it is continued, and it is undone', async (at) => {
    for (const next of ['install', 'remove'] as const) {
      const { machine, before, setup } = setting()
      machine.beforeChange = () => {
        if (machine.log.length === at) throw new Error('the machine ends here')
      }
      await expect(setup.install(machine.context())).rejects.toThrow('the machine ends here')
      machine.beforeChange = () => undefined
      await setup[next](machine.context())
      if (next === 'remove') expect(machine.state()).toEqual(before)
      else {
        expect(await setup.describe('install', machine.context())).toEqual([])
        expect([...machine.accountsByName].every(([name, { password }]) => machine.passwords.get(secretOf(name)) === password)).toBe(true)
        expect([...machine.passwords.keys()].filter((file) => file.endsWith('.new'))).toEqual([])
      }
    }
  })

  test.each(Array.from({ length: 23 }, (_, at) => at))('%d of removing: it is continued', async (at) => {
    const { machine, before, setup } = await installed()
    for (const { sid } of machine.accountsByName.values()) machine.profiles.add(sid)
    const start = machine.log.length
    let ended = false
    machine.beforeChange = () => {
      // A process that ends does nothing more, also not with the next account.
      if (ended || machine.log.length - start === at) {
        ended = true
        throw new Error('the machine ends here')
      }
    }
    await expect(setup.remove(machine.context())).rejects.toThrow('the machine ends here')
    machine.beforeChange = () => undefined
    await setup.remove(machine.context())
    expect(machine.state()).toEqual(before)
  })
})

test('without its record, removing finds what there is, except entries on files', async () => {
  const { machine, before, setup } = await installed()
  await setup.remove({ ...machine.context(), recorded: [] })
  expect({ ...(machine.state() as object), objects: null }).toEqual({ ...(before as object), objects: null })
  expect(machine.objects.has('/pool')).toBe(false)
})

test('the profile of an account that somebody else removed is found by the record', async () => {
  const { machine, before, setup } = await installed()
  const sid = machine.accountsByName.get(first)?.sid ?? ''
  machine.profiles.add(sid)
  machine.accountsByName.delete(first)
  for (const { members } of machine.groups.values()) members.delete(sid)
  machine.hidden.delete(first)
  await setup.remove(machine.context())
  expect(machine.state()).toEqual(before)
})

describe('what is not as it should be', () => {
  const faults: readonly (readonly [string, (machine: FakeMachine) => unknown, string])[] = [
    ['disabled', (machine) => Object.assign(machine.accountsByName.get(first) ?? {}, { disabled: true }), 'which is disabled or locked'],
    ['password', (machine) => machine.passwords.set(secretOf(first), 0), 'which its password cannot be opened'],
    ['interrupted', (machine) => machine.passwords.set(`${secretOf(first)}.new`, 5), 'which its password cannot be opened'],
    ['group', (machine) => machine.groups.get('BulkheadAgents')?.members.clear(), 'which is not in its group'],
    ['shown', (machine) => machine.hidden.delete(first), 'which is shown on the sign-in screen'],
  ]
  test.each(faults)('%s: is found and put right', async (_, damage, words) => {
    const { machine, setup } = await installed()
    damage(machine)
    const [line] = await setup.describe('install', machine.context())
    expect(line).toContain(`the local account ${first}, ${words}`)
    await setup.install(machine.context())
    expect(await setup.describe('install', machine.context())).toEqual([])
    expect(machine.passwords.get(secretOf(first))).toBe(machine.accountsByName.get(first)?.password)
  })
})

test('fewer accounts: those that are too many go; nobody says how many: they stay', async () => {
  const { machine, setup } = await installed()
  expect(await setup.describe('install', machine.context(null))).toEqual([])
  await setup.install(machine.context(1))
  expect([...machine.accountsByName.keys()]).toEqual([first])
  await setup.install(machine.context(2))
  expect([...machine.accountsByName.keys()]).toEqual([first, second])
})

test('an account of that name that somebody else made is not touched', async () => {
  const { machine, setup } = setting()
  machine.accountsByName.set(first, { sid: 'S-1-5-21-9-9-9-1', comment: 'Jane', disabled: false, password: 7 })
  await expect(setup.install(machine.context())).rejects.toMatchObject({
    code: 'setup_incomplete',
    message: `there is a local account ${first} that Bulkhead did not make`,
  })
  await setup.remove(machine.context())
  expect([...machine.accountsByName.keys()]).toEqual([first])
})

test('another user’s accounts keep the group', async () => {
  const { machine, setup } = await installed()
  machine.groups.get('BulkheadAgents')?.members.add('S-1-5-21-9-9-9-777')
  await setup.remove(machine.context())
  expect(machine.accounts.members('BulkheadAgents')).toEqual(['S-1-5-21-9-9-9-777'])
  expect(machine.rightsBySid.size).toBe(1)
})

test('while an agent runs under one of them nothing is removed', async () => {
  const { machine, setup } = await installed()
  const before = machine.state()
  machine.locked.add(`/pool/${second}.lease`)
  await expect(setup.remove(machine.context())).rejects.toMatchObject({
    code: 'setup_incomplete',
    message: `an agent is running under the local account ${second}`,
  })
  expect(machine.state()).toEqual(before)
})

test('one account that cannot be removed does not keep the others, and keeps its password', async () => {
  const { machine, setup } = await installed()
  machine.beforeChange = (what) => {
    if (what === `remove ${second}`) throw new Error('the account is stuck')
  }
  await expect(setup.remove(machine.context())).rejects.toThrow('the account is stuck')
  expect([...machine.accountsByName.keys()]).toEqual([second])
  expect(machine.passwords.has(secretOf(second))).toBe(true)
  expect(machine.groups.has('BulkheadAgents')).toBe(true)
})
