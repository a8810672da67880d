/** What setting up asks Windows for, call by call, and what is left when a call fails. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { afterEach, test } from 'node:test'
import { fileSecurity, localAccounts, poolDirectory } from '../../../../native/index.ts'
import { agentsGroup } from '../../../../plugins/_windows/agents-group.ts'
import { accountComment, accountName } from '../../../../plugins/token-account/names.ts'
import { accountSetup } from '../../../../plugins/token-account/setup.ts'
import { SetupDesk } from '../../support/agent-accounts.ts'
import { type Call, failing, recorded } from '../../support/calls.ts'

const setup = accountSetup()
const accounts = localAccounts()
const owner = fileSecurity().userSid()
const name = accountName(owner, 1)

/** Calls that only look. */
const reading = new Set(['NetUserGetInfo', 'NetLocalGroupGetMembers', 'LsaEnumerateAccountRights', 'LsaOpenPolicy', 'LsaClose'])

function changes(calls: readonly Call[]): readonly Call[] {
  return calls.filter(({ call }) => /^(?:Net|Lsa|DeleteProfile|CreateProfile)/.test(call) && !reading.has(call))
}

/** Everything that setting up leaves outside of files. */
function state(): unknown {
  return {
    account: accounts.read(name) !== undefined,
    hidden: accounts.isHidden(name),
    group: fileSecurity().groupSid(agentsGroup) !== undefined,
    members: accounts.members(agentsGroup).length,
    directory: existsSync(poolDirectory()),
  }
}

const nothing = { account: false, hidden: false, group: false, members: 0, directory: false }

afterEach(async () => {
  await setup.remove(new SetupDesk().context(null))
  assert.deepEqual(state(), nothing)
})

/** Every kind of logon but the one that starts a program is refused. */
const rights = ['SeInteractiveLogonRight', ...['Network', 'RemoteInteractive', 'Batch', 'Service'].map((kind) => `SeDeny${kind}LogonRight`)]

test('one account: these calls, in this order, and none with a password', async () => {
  const desk = new SetupDesk()
  const { calls, error } = await recorded(() => setup.install(desk.context(1)))
  assert.equal(error, undefined)
  const sid = accounts.read(name)?.sid
  const group = fileSecurity().groupSid(agentsGroup)
  assert.deepEqual(
    changes(calls).map((one) => [one.call, one.in, one.result]),
    [
      ['NetLocalGroupAdd', { level: 1, name: agentsGroup, comment: 'Accounts under which agents run. Made by Bulkhead.' }, '0x0'],
      ['LsaAddAccountRights', { sid: group, rights }, '0x0'],
      [
        'NetUserAdd',
        // USER_PRIV_USER; UF_SCRIPT, UF_NORMAL_ACCOUNT, UF_DONT_EXPIRE_PASSWD, UF_PASSWD_CANT_CHANGE.
        { level: 1, name, passwordLength: 40, privilege: 1, flags: '0x10241', comment: accountComment(owner) },
        '0x0',
      ],
      ['NetLocalGroupAddMembers', { name: agentsGroup, level: 0, members: [sid] }, '0x0'],
      ['NetLocalGroupAddMembers', { name: 'Users', level: 0, members: [sid] }, '0x0'],
    ],
  )
  // POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, and no more.
  assert.deepEqual(
    calls.filter(({ call }) => call === 'LsaOpenPolicy').map((one) => one.in['access']),
    ['0x810'],
  )
  assert.deepEqual(state(), { account: true, hidden: true, group: true, members: 1, directory: true })
  assert.deepEqual(await setup.describe('install', desk.context(null)), [])
})

test('an account that is there gets a new password and its flags again, and is not made twice', async () => {
  const desk = new SetupDesk()
  await setup.install(desk.context(1))
  const sid = accounts.read(name)?.sid
  accounts.show(name)
  const { calls } = await recorded(() => setup.install(desk.context(1)))
  assert.deepEqual(
    changes(calls).map((one) => [one.call, one.in['level'] ?? null, one.result]),
    [
      ['NetUserAdd', 1, '0x8b0'],
      ['NetUserSetInfo', 1003, '0x0'],
      ['NetUserSetInfo', 1008, '0x0'],
      ['NetLocalGroupAddMembers', 0, '0x562'],
      ['NetLocalGroupAddMembers', 0, '0x562'],
    ],
  )
  assert.equal(accounts.read(name)?.sid, sid)
  assert.deepEqual(await setup.describe('install', desk.context(null)), [])
})

test('removing: the account with all that hangs on it, then the group', async () => {
  const desk = new SetupDesk()
  await setup.install(desk.context(1))
  const sid = accounts.read(name)?.sid
  const group = fileSecurity().groupSid(agentsGroup)
  const { calls, error } = await recorded(() => setup.remove(desk.context(null)))
  assert.equal(error, undefined)
  assert.deepEqual(
    changes(calls).map((one) => [one.call, one.in]),
    [
      ['DeleteProfileW', { sid, path: null }],
      ['NetLocalGroupDelMembers', { name: agentsGroup, level: 0, members: [sid] }],
      ['NetLocalGroupDelMembers', { name: 'Users', level: 0, members: [sid] }],
      ['NetUserDel', { name }],
      ['LsaRemoveAccountRights', { sid: group, rights: [], all: true }],
      ['NetLocalGroupDel', { name: agentsGroup }],
    ],
  )
})

const steps: readonly (readonly [string, number])[] = [
  ['NetLocalGroupAdd', 1],
  ['LsaOpenPolicy', 1],
  ['LsaAddAccountRights', 1],
  ['NetUserAdd', 1],
  ['NetLocalGroupAddMembers', 1],
  ['NetLocalGroupAddMembers', 2],
]

for (const [call, count] of steps) {
  for (const next of ['install', 'remove'] as const) {
    test(`${call} (${count}) fails: the error says so, and ${next} afterwards gets everything right`, async () => {
      const desk = new SetupDesk()
      await assert.rejects(
        failing([[call, count, call.startsWith('Lsa') ? '0xc0000022' : '0x5']], () => setup.install(desk.context(1))),
        { code: 'native_failed' },
      )
      await setup[next](desk.context(1))
      if (next === 'install') assert.deepEqual(await setup.describe('install', desk.context(null)), [])
      else assert.deepEqual(state(), nothing)
    })
  }
}

const removals: readonly (readonly [string, number, string])[] = [
  ['DeleteProfileW', 1, '0x57'],
  ['NetLocalGroupDelMembers', 1, '0x5'],
  ['NetLocalGroupDelMembers', 2, '0x5'],
  ['NetUserDel', 1, '0x5'],
  ['LsaRemoveAccountRights', 1, '0xc0000022'],
  ['NetLocalGroupDel', 1, '0x5'],
]

for (const [call, count, result] of removals) {
  test(`removing, ${call} (${count}) fails: the rest is tried, and again gets everything right`, async () => {
    const desk = new SetupDesk()
    await setup.install(desk.context(1))
    // Twenty tries for a profile that is still in use.
    const many = Array.from({ length: call === 'DeleteProfileW' ? 20 : 1 }, (_, at) => [call, count + at, result] as const)
    await assert.rejects(
      failing(many, () => setup.remove(desk.context(null))),
      { code: 'native_failed' },
    )
    await setup.remove(desk.context(null))
    assert.deepEqual(state(), nothing)
  })
}

test('a password that a policy refuses leaves no account, and the password before it is kept', async () => {
  const desk = new SetupDesk()
  // NERR_PasswordTooShort, also for every other rule of a policy.
  await assert.rejects(
    failing([['NetUserAdd', 1, '0x8c5']], () => setup.install(desk.context(1))),
    { code: 'native_failed' },
  )
  assert.equal(accounts.read(name), undefined)
  await setup.install(desk.context(1))
  accounts.show(name)
  await assert.rejects(
    failing([['NetUserSetInfo', 1, '0x8c5']], () => setup.install(desk.context(1))),
    { code: 'native_failed' },
  )
  const secret = `${poolDirectory()}\\${name}.secret`
  assert.deepEqual([existsSync(`${secret}.new`), accounts.opens(name, secret)], [false, true])
})
