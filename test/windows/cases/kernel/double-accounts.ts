/** The double itself: accounts, logons, profiles, and whom a process runs as. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { attempt, outcomes, selftest, sids } from '../../support/confined.ts'

const name = 'dbl-agent'
const group = 'dbl-agents'

function act(...acts: readonly string[]): { readonly said: string; readonly answers: ReadonlyMap<string, string> } {
  const said = execFileSync(selftest('accounts'), acts, { encoding: 'utf8' })
  return { said, answers: outcomes(said) }
}

/** What one act came to. */
function one(line: string): string {
  const { answers } = act(line)
  // What the act printed stands before it.
  return [...answers].find(([key]) => key.endsWith(line))?.[1] ?? 'nothing'
}

/** What a program under the account prints; the line about the run itself is left out. */
const run = (program: string, ...attempts: readonly string[]): string =>
  act(`run|${name}|secret|${[selftest(program), ...attempts].join(' ')}`).said.replace(/^run\|.*$/m, '')

describe('an account', () => {
  let sid = ''
  before(() => {
    act(`user-add|${name}|secret`, `group-add|${group}`, `join|${group}|${name}`)
    sid = /S-1-5-21-[\d-]+/.exec(act(`user-sid|${name}`).said)?.[0] ?? ''
  })
  after(() => void act(`user-del|${name}`, `group-del|${group}`))

  test('is made once', () => assert.equal(one(`user-add|${name}|secret`), '2224'))
  test('has a SID of the machine', () => assert.match(sid, /^S-1-5-21-0-0-0-1\d{3}$/))
  test('is in its group once', () => {
    assert.match(act(`members|${group}`).said, new RegExp(`^${name} `))
    assert.equal(one(`join|${group}|${name}`), '1378')
  })
  test('may not log on while nothing says that it may', () => assert.equal(one(`run|${name}|secret|cmd.exe /c exit 0`), '1385'))

  describe('of an ordinary user', () => {
    before(() => void act(`join|Users|${name}`))

    test('logs on with its password only', () => {
      assert.equal(one(`run|${name}|Secret|cmd.exe /c exit 0`), '1326')
      assert.equal(one(`run|nobody|secret|cmd.exe /c exit 0`), '1326')
      assert.equal(one(`run|${name}|secret|cmd.exe /d /c exit 3`), '3')
    })
    test('is who its processes run as', () => {
      assert.match(run('accounts', 'whoami'), new RegExp(`${name} ${sid} C:\\\\users\\\\${name} C:\\\\users\\\\${name} whoami\tok`))
    })
    test('is no administrator', () => assert.match(run('accounts', 'user-add|other|x'), /user-add\|other\|x\t5/))
    test('has a profile of its own and nothing of the user’s', () => {
      const answers = outcomes(
        run('attempts', `write|C:\\users\\${name}\\mine`, `list|${homedir()}`, `stat|${homedir()}\\x`, 'read|C:\\windows\\win.ini'),
      )
      assert.deepEqual([...answers.values()], ['ok', '5', '2', 'ok'])
    })
    test('may open its own token, and not the user’s processes', () => {
      const answers = outcomes(
        run('attempts', 'own-token|0x0008', `open-process|${process.pid}|0x0010`, `open-process|${process.pid}|0x1000`),
      )
      // Its limited facts it may ask for: the logon SID is the user's, and the level forbids reading and writing only.
      assert.deepEqual([...answers.values()], ['ok', '5', 'ok'])
    })
    test('cannot be put on by a token alone', () => assert.equal(one(`logon|${name}|secret`), '1314'))
    test('is open to an administrator', () => {
      const token = ['--restrict', sids.workspace, '--flags', '8']
      assert.deepEqual([...attempt(token, [`list|C:\\users\\${name}`]).values()], ['ok'])
    })
    test('is shut out by a right that denies', () => {
      act(`right|${name}|SeDenyInteractiveLogonRight`)
      assert.equal(one(`run|${name}|secret|cmd.exe /c exit 0`), '1385')
    })
    test('leaves a profile, which can be removed once', () => {
      assert.equal(existsSync(`C:\\users\\${name}`), true)
      assert.equal(one(`profile-del|${sid}`), 'ok')
      assert.equal(existsSync(`C:\\users\\${name}`), false)
      assert.equal(one(`profile-del|${sid}`), '2')
    })
  })
})

test('what is removed is gone', () => {
  assert.equal(one(`user-sid|${name}`), '2221')
  assert.equal(one(`user-del|${name}`), '2221')
  assert.equal(one(`group-del|${group}`), '1376')
})
