/** The recorder itself: what is asked for is written down as it was asked for, and what shall fail fails and does nothing. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Call, callsSince, failing } from '../../support/calls.ts'
import { confine, Ground, outcomes, selftest, sids, tiers } from '../../support/confined.ts'

/** Calls of one kind that `act` led to, in whatever process. */
function callsOf(name: string, act: () => unknown): readonly Call[] {
  const before = callsSince(0).length
  act()
  return callsSince(before).filter(({ call }) => call === name)
}

/** How the program ended whose call was made to fail. */
function endOf(act: () => unknown): string {
  try {
    act()
    return 'no error'
  } catch (error) {
    return (error as { readonly stderr?: string }).stderr?.trim() ?? String(error)
  }
}

describe('a record', () => {
  test('of a restricted token has its flags and SIDs, in order', () => {
    const [call, ...more] = callsOf('NtFilterToken', () => confine(tiers.blind))
    assert.deepEqual(more, [])
    assert.deepEqual(call?.in, {
      flags: '0x1',
      disable: ['S-1-5-32-544'],
      privileges: [],
      restricting: [sids.workspace, sids.launch, sids.users, 'S-1-5-12'],
    })
    assert.equal(call.result, '0x0')
  })

  test('of a token’s level and default list', () => {
    const calls = callsOf('NtSetInformationToken', () => confine(tiers.blind))
    assert.deepEqual(
      calls.map(({ in: { label, dacl } }) => label ?? dacl),
      ['S-1-16-4096', `D:(A;;0x10000000;;;${sids.user})(A;;0x10000000;;;S-1-5-18)(A;;0x10000000;;;${sids.launch})`],
    )
  })

  test('of a descriptor has the path, the parts and the whole of it', () => {
    using ground = new Ground()
    const child = ground.emptyDirectory('child')
    const [call] = callsOf('NtSetSecurityObject', () => confine(['--sd', child, `D:P(A;OICI;FA;;;${sids.user})S:(ML;OICI;NW;;;LW)`]))
    assert.deepEqual(call?.in, {
      kind: 'file',
      path: child,
      info: '0x80000014',
      propagates: true,
      descriptor: `D:(A;OICI;0x1f01ff;;;${sids.user})S:(ML;OICI;0x1;;;S-1-16-4096)`,
    })
  })

  test('of a process has the token, the flags and the command line', () => {
    const [, call] = callsOf('NtCreateUserProcess', () => confine(tiers.writing, [selftest('attempts')]))
    assert.deepEqual([call?.in['token'], call?.in['line'], call?.in['jobs']], [true, `"${selftest('attempts')}"`, 0])
  })

  test('of an account has no password', () => {
    const [call] = callsOf('NetUserAdd', () => execFileSync(selftest('accounts'), ['user-add|rec-agent|very secret', 'user-del|rec-agent']))
    assert.equal(call?.in['passwordLength'], 11)
    assert.doesNotMatch(JSON.stringify(call), /very secret/)
  })
})

describe('a call that shall fail', () => {
  test('makes no token', async () => {
    const said = await failing([['NtFilterToken', 1, '0xC0000022']], async () => endOf(() => confine(tiers.blind)))
    assert.equal(said, 'confine: CreateRestrictedToken: 5')
  })

  test('sets no descriptor, and the one before it did', async () => {
    using ground = new Ground()
    const [one, two] = [ground.emptyDirectory('one'), ground.emptyDirectory('two')]
    const sddl = `D:P(A;;FA;;;${sids.user})`
    const said = await failing([['NtSetSecurityObject', 2, '0xC0000022']], async () =>
      endOf(() => confine(['--sd', one, sddl, '--sd', two, sddl])),
    )
    assert.equal(said, `confine: ${two}: 5`)
    assert.match(confine(['--print-sd', one]), /D:P\(/)
    assert.doesNotMatch(confine(['--print-sd', two]), /D:P\(/)
  })

  test('starts no process', async () => {
    using ground = new Ground()
    const target = join(ground.outside, 'written')
    // The first is confine.exe itself.
    const said = await failing([['NtCreateUserProcess', 2, '0xC000009A']], async () =>
      endOf(() => confine(['--flags', '0'], [selftest('attempts'), `write|${target}`])),
    )
    assert.equal(said, 'confine: CreateProcessAsUserW: 1450')
    assert.equal(existsSync(target), false)
  })

  test('makes no account', async () => {
    const add = (): string => execFileSync(selftest('accounts'), ['user-add|rec-other|x', 'user-sid|rec-other'], { encoding: 'utf8' })
    const said = await failing([['NetUserAdd', 1, '5']], async () => add())
    assert.deepEqual([...outcomes(said).values()], ['5', '2221'])
  })

  test('fails once, and only where it was told to', async () => {
    const said = await failing([['NtFilterToken', 2, '0xC0000022']], async () => [
      endOf(() => confine(tiers.blind)),
      endOf(() => confine(tiers.blind)),
    ])
    assert.deepEqual(said, ['no error', 'confine: CreateRestrictedToken: 5'])
    assert.equal(
      endOf(() => confine(tiers.blind)),
      'no error',
    )
  })
})
