/** The double itself: files under tokens that are checked twice. Its twin in `control` shows that the same acts succeed without it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { allowedActs, planted, refusedActs } from '../../support/confined-acts.ts'
import { attempt, confine, Ground, selftest, sids, tiers } from '../../support/confined.ts'

for (const [tier, options] of Object.entries(tiers)) {
  describe(tier, () => {
    using ground = new Ground()
    const refused = refusedActs.map((act) => ({ ...act, line: act.attempt(ground) }))
    const allowed = allowedActs.map((act) => ({ ...act, line: act.attempt(ground) }))
    const answers = attempt(
      [...ground.open(), ...options],
      [...refused, ...allowed].map(({ line }) => line),
    )
    for (const { name, line, blindOnly } of refused) {
      const expected = blindOnly === true && tier !== 'blind' ? 'ok' : '5'
      test(`${expected === 'ok' ? 'may' : 'may not'} ${name}`, () => assert.equal(answers.get(line), expected))
    }
    for (const { name, line } of allowed) test(`may ${name}`, () => assert.equal(answers.get(line), 'ok'))
    test('nothing was planted', () =>
      assert.deepEqual(
        planted.filter((path) => existsSync(path)),
        [],
      ))
  })
}

test('children are confined as their parent is', () => {
  using ground = new Ground()
  const target = join(ground.outside, 'by-grandchild')
  const inside = join(ground.workspace, 'by-grandchild')
  const lines = [target, inside].map((path) => `spawn|cmd.exe /d /c cmd.exe /d /c echo x>${path}`)
  attempt([...ground.open(), ...tiers.blind], lines)
  assert.deepEqual([existsSync(target), existsSync(inside)], [false, true])
})

test('disks are for administrators', () => {
  const lines = ['open|\\\\.\\C:|0x80000000', 'open|\\\\.\\PhysicalDrive0|0xC0000000']
  assert.deepEqual([...attempt(tiers.blind, lines).values()], ['5', '5'])
})

test('programs of the host are not started', () => {
  using ground = new Ground()
  attempt([...ground.open(), ...tiers.writing], [`spawn|Z:\\usr\\bin\\touch ${join(ground.outside, 'touched')}`])
  assert.equal(existsSync(join(ground.outside, 'touched')), false)
})

describe('descriptors', () => {
  const read = (path: string): string => confine(['--print-sd', path]).split(' ').slice(-1)[0]?.trim() ?? ''
  const rest = `(A;OICIID;0x1f01ff;;;S-1-5-18)(A;OICIID;0x1f01ff;;;S-1-5-32-544)(A;OICIID;0x1f01ff;;;${sids.user})`

  test('SetNamedSecurityInfo lets what is below follow', () => {
    using ground = new Ground()
    const child = ground.emptyDirectory('child')
    confine(['--sd', ground.outside, `D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;${sids.user})`])
    assert.equal(read(child), `O:S-1-5-32-544D:AI(A;OICIID;0x1f01ff;;;S-1-5-18)(A;OICIID;0x1f01ff;;;${sids.user})`)
  })

  test('SetFileSecurity does not', () => {
    using ground = new Ground()
    const child = ground.emptyDirectory('child')
    const before = read(child)
    assert.equal(before, `O:S-1-5-32-544D:AI${rest}`)
    confine(['--raw-sd', ground.outside, `D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;${sids.user})`])
    assert.equal(read(child), before)
    const later = ground.emptyDirectory('later')
    assert.equal(read(later), `O:S-1-5-32-544D:AI(A;OICIID;0x1f01ff;;;S-1-5-18)(A;OICIID;0x1f01ff;;;${sids.user})`)
  })

  test('explicit entries come first, inherited ones are marked, and none is there twice', () => {
    using ground = new Ground()
    const child = ground.emptyDirectory('child')
    for (let times = 0; times < 2; times++) confine(['--sd', child, `D:(A;OICI;0x1301bf;;;${sids.workspace})`])
    assert.equal(read(child), `O:S-1-5-32-544D:AI(A;OICI;0x1301bf;;;${sids.workspace})${rest}`)
  })

  test('restoring what was read restores it', () => {
    using ground = new Ground()
    const child = ground.emptyDirectory('child')
    const before = read(child)
    confine(['--sd', child, `D:P(A;OICI;FA;;;${sids.user})`])
    assert.notEqual(read(child), before)
    confine(['--sd', child, before.slice(before.indexOf('D:')).replace('D:AI', 'D:')])
    assert.equal(read(child), before)
  })

  test('a renamed directory keeps its own, and leaves none behind', () => {
    using ground = new Ground()
    const from = ground.emptyDirectory('from')
    const to = join(ground.outside, 'to')
    confine(['--sd', from, `D:P(A;OICI;FA;;;${sids.user})(A;OICI;FR;;;${sids.workspace})`])
    const before = read(from)
    renameSync(from, to)
    mkdirSync(from)
    assert.equal(read(to), before)
    assert.equal(read(from), `O:S-1-5-32-544D:AI${rest}`)
  })

  test('a renamed file keeps what it inherited where it was', () => {
    using ground = new Ground()
    const inner = ground.emptyDirectory('inner')
    confine(['--sd', inner, `D:P(A;OICI;FA;;;${sids.user})`])
    writeFileSync(join(inner, 'file'), 'x')
    renameSync(join(inner, 'file'), join(ground.outside, 'file'))
    assert.equal(read(join(ground.outside, 'file')), `O:S-1-5-32-544D:AI(A;ID;0x1f01ff;;;${sids.user})`)
  })

  test('one object has one descriptor, whichever way it is named', () => {
    using ground = new Ground()
    const child = ground.emptyDirectory('Child')
    confine(['--sd', child, `D:P(A;OICI;FA;;;${sids.user})`])
    assert.equal(read(child.toUpperCase()), read(child))
    assert.equal(read(`\\\\?\\${child}`), read(child))
  })

  test('many processes at a time lose nothing', async () => {
    using ground = new Ground()
    const names = Array.from({ length: 12 }, (_, index) => ground.emptyDirectory(`many-${index}`))
    const lists = names.map((name, index) => [
      '--sd',
      name,
      `D:P(A;;FA;;;${sids.user})(A;;0x${(index + 1).toString(16)};;;${sids.workspace})`,
    ])
    await Promise.all(lists.map((options) => promisify(execFile)(selftest('confine'), options)))
    for (const [index, name] of names.entries()) assert.match(read(name), new RegExp(`;;0x${(index + 1).toString(16)};;;${sids.workspace}`))
  })
})
