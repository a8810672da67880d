/** The password of an agent account: made, protected and opened by the C module, with Wine's own DPAPI. Accounts themselves Wine only pretends. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileSecurity, localAccounts } from '../../../../native/index.ts'
import { secretDescriptor } from '../../../../plugins/token-account/names.ts'

const directory = mkdtempSync(join(tmpdir(), 'secrets-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const sddl = `D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;${fileSecurity().userSid()})S:(ML;;NRNWNX;;;ME)`
const accounts = localAccounts()

function make(name: string): string {
  const file = join(directory, `${name}.secret`)
  accounts.make(name, 'a test', file, sddl)
  return file
}

test('the list that passwords get leaves out everybody else, and everybody of low integrity', () => {
  assert.equal(secretDescriptor(fileSecurity().userSid(), false), sddl)
})

test('a password is protected, and its own account alone opens it', () => {
  const file = make('bulkhead-test-01')
  assert.equal(existsSync(`${file}.new`), false)
  assert.equal(accounts.opens('bulkhead-test-01', file), true)
  assert.equal(accounts.opens('bulkhead-test-02', file), false)
})

test('two passwords are never the same, and neither are two protections', () => {
  const [one, other] = [make('bulkhead-test-03'), make('bulkhead-test-04')].map((file) => readFileSync(file))
  assert.notDeepEqual(one, other)
  const [first, second] = [readFileSync(make('bulkhead-test-05')), readFileSync(make('bulkhead-test-05'))]
  assert.notDeepEqual(first, second)
})

test('what is in the file is not the password in clear', () => {
  const text = readFileSync(make('bulkhead-test-06')).toString('latin1')
  // 40 characters of UTF-16 would be such a run.
  assert.doesNotMatch(text, /(?:[!-~]\0){12}/)
})

test('a damaged, foreign, empty or missing file opens nothing', () => {
  const file = make('bulkhead-test-07')
  const whole = readFileSync(file)
  const damaged = Buffer.from(whole)
  damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1
  for (const bytes of [damaged, whole.subarray(0, whole.length / 2), Buffer.alloc(0), Buffer.from('password')]) {
    writeFileSync(file, bytes)
    assert.equal(accounts.opens('bulkhead-test-07', file), false)
  }
  rmSync(file)
  assert.equal(accounts.opens('bulkhead-test-07', file), false)
})

test('where the password cannot be kept no account is made, and what was kept stays', () => {
  const missing = join(directory, 'missing', 'bulkhead-test-08.secret')
  assert.throws(() => accounts.make('bulkhead-test-08', 'a test', missing, sddl), { code: 'native_failed' })
  const file = make('bulkhead-test-09')
  const before = readFileSync(file)
  assert.throws(() => accounts.make('bulkhead-test-09', 'a test', file, 'no descriptor'), { code: 'native_failed' })
  assert.deepEqual(readFileSync(file), before)
  assert.equal(accounts.opens('bulkhead-test-09', file), true)
})

test('one that was being replaced when something died is written over', () => {
  const file = make('bulkhead-test-10')
  renameSync(file, `${file}.new`)
  make('bulkhead-test-10')
  assert.equal(accounts.opens('bulkhead-test-10', file), true)
  assert.equal(existsSync(`${file}.new`), false)
})
