/**
 * What native/windows/security.ts does to files that are really there. Wine keeps little of an access list, so which list comes out is
 * not looked at here: see the groups `recording` and `kernel`.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { BulkheadError } from '../../../../core/contracts/index.ts'
import { fileSecurity } from '../../../../native/index.ts'

const security = fileSecurity()
const area = realpathSync.native(mkdtempSync(join(tmpdir(), 'security-')))
after(() => rmSync(area, { recursive: true, force: true }))

const failed =
  (nativeCode: string) =>
  (error: unknown): boolean =>
    BulkheadError.is(error) && error.code === 'native_failed' && error.details.nativeCode === nativeCode
const at = (name: string): string => join(area, name)
const identityOf = (path: string): string => security.read(path, 'access')?.identity ?? 'nothing'

test('an object is known by its identity, whatever it is called', () => {
  writeFileSync(at('one.txt'), '1')
  mkdirSync(at('folder'))
  const one = security.read(at('one.txt'), 'access')
  assert.deepEqual([one?.directory, one?.link, one?.names], [false, false, 1])
  assert.match(one?.identity ?? '', /^[0-9a-f]{48}$/)
  assert.match(one?.sddl ?? '', /^D:/)
  assert.equal(security.read(at('folder'), 'access')?.directory, true)
  renameSync(at('one.txt'), at('two.txt'))
  assert.equal(identityOf(at('two.txt')), one?.identity)
  linkSync(at('two.txt'), at('three.txt'))
  assert.equal(identityOf(at('three.txt')), one?.identity)
  assert.equal(security.read(at('two.txt'), 'access')?.names, 2)
  writeFileSync(at('one.txt'), '1')
  assert.notEqual(identityOf(at('one.txt')), one?.identity)
})

test('what is not there is not there', () => {
  assert.equal(security.read(at('absent'), 'access'), undefined)
  assert.equal(security.read(at('absent\\more'), 'access'), undefined)
  assert.equal(security.finalPath(at('absent')), undefined)
})

test('another case is the same path; another drive letter, a dot and a parent are not', () => {
  writeFileSync(at('Case.txt'), '')
  assert.equal(identityOf(at('CASE.TXT')), identityOf(at('Case.txt')))
  const { drive, rest } = { drive: area.slice(0, 2), rest: area.slice(2) }
  assert.equal(drive, 'C:')
  // The same directory by way of Wine's drive for the whole machine, which stands for a substituted drive.
  const prefix = process.env['WINEPREFIX'] ?? ''
  const other = `Z:${prefix.replaceAll('/', '\\')}\\drive_c${rest}\\Case.txt`
  if (existsSync(other)) assert.throws(() => security.read(other, 'access'), { code: 'host_unsupported', message: /leads through a link/ })
  for (const spelling of ['.\\Case.txt', 'folder\\..\\Case.txt', 'Case.txt.', 'Case.txt ']) {
    const answer = (() => {
      try {
        return security.read(`${area}\\${spelling}`, 'access')
      } catch {
        return 'refused'
      }
    })()
    assert.ok(answer === undefined || answer === 'refused', spelling)
  }
})

test('a descriptor is set on the very object that was read, and on no other', () => {
  writeFileSync(at('target'), 'a')
  const before = security.read(at('target'), 'access')
  security.write(at('target'), before?.identity ?? '', 'access', before?.sddl ?? '')
  renameSync(at('target'), at('moved'))
  writeFileSync(at('target'), 'b')
  assert.throws(() => security.write(at('target'), before?.identity ?? '', 'access', 'D:P'), {
    code: 'native_failed',
    message: /another object by now/,
  })
  assert.throws(() => security.write(at('target'), identityOf(at('target')), 'access', 'no SDDL'), { code: 'native_failed' })
})

test('a directory is made with its descriptor, and never over another', () => {
  security.makeDirectory(at('made'), `D:P(A;OICI;FA;;;${security.userSid()})`)
  assert.equal(security.read(at('made'), 'access')?.directory, true)
  assert.throws(() => security.makeDirectory(at('made'), 'D:P(A;OICI;FA;;;WD)'), failed('EEXIST'))
  assert.throws(() => security.makeDirectory(at('bad'), 'D:P(A;OICI;FA;;;nobody)'), { code: 'native_failed' })
  assert.equal(existsSync(at('bad')), false)
})

test('the user has a SID, and a group that does not exist has none', () => {
  assert.match(security.userSid(), /^S-1-5-21-\d+-\d+-\d+-\d+$/)
  assert.equal(security.groupSid('BulkheadNoSuchGroup'), undefined)
})

test('a tree is deleted however deep, with what is read-only in it, and only a tree', () => {
  const root = at('tree')
  const deep = join(root, ...Array.from({ length: 40 }, (_, index) => `${'d'.repeat(60)}${index}`))
  mkdirSync(deep, { recursive: true })
  writeFileSync(join(deep, 'file'), 'x')
  chmodSync(join(deep, 'file'), 0o444)
  for (let index = 0; index < 1500; index++) writeFileSync(join(root, `${'n'.repeat(40)}${index}`), '')
  security.deleteTree(root)
  assert.equal(existsSync(root), false)
  security.deleteTree(root)
  writeFileSync(at('plain'), '')
  assert.throws(() => security.deleteTree(at('plain')), failed('ENOTDIR'))
  assert.equal(existsSync(at('plain')), true)
})

test('what cannot be deleted ends it with an error, and the rest can be deleted later', () => {
  mkdirSync(at('stuck\\inner'), { recursive: true })
  const held = security.lock(at('stuck\\inner\\held'))
  assert.throws(() => security.deleteTree(at('stuck')), failed('EBUSY'))
  assert.equal(existsSync(at('stuck\\inner\\held')), true)
  held?.[Symbol.dispose]()
  security.deleteTree(at('stuck'))
  assert.equal(existsSync(at('stuck')), false)
})

test('a tree that is deeper than this machine can delete does not keep it for ever', () => {
  const part = Array.from({ length: 12 }, () => 'e'.repeat(200))
  const leaf = (root: string): string => join(root, ...part)
  // Each round the tree so far is moved to the bottom of a new one.
  mkdirSync(leaf(at('deep')), { recursive: true })
  mkdirSync(leaf(at('outer')), { recursive: true })
  renameSync(at('deep'), join(leaf(at('outer')), 'i'))
  // Wine deletes by path, and says that it succeeded when the path is too long.
  assert.throws(() => security.deleteTree(at('outer')), failed('win32 145'))
  renameSync(join(leaf(at('outer')), 'i'), at('deep'))
  for (const name of ['outer', 'deep']) security.deleteTree(at(name))
  assert.deepEqual([existsSync(at('outer')), existsSync(at('deep'))], [false, false])
})

test('a name on the disk is found in its own spelling', () => {
  writeFileSync(at('A Name That Is Long.txt'), '')
  assert.equal(security.finalPath(at('a name that is long.TXT')), at('A Name That Is Long.txt'))
})

test('a lock keeps everybody out until it is given back, or until its process is gone', async () => {
  const file = at('lock')
  const held = security.lock(file)
  assert.notEqual(held, undefined)
  assert.equal(security.lock(file), undefined)
  held?.[Symbol.dispose]()
  held?.[Symbol.dispose]()
  const again = security.lock(file)
  assert.notEqual(again, undefined)
  again?.[Symbol.dispose]()
  const native = new URL('../../../../native/index.js', import.meta.url).href
  const script = `import { fileSecurity } from ${JSON.stringify(native)}
    const held = fileSecurity().lock(${JSON.stringify(file)})
    process.stdout.write(held === undefined ? 'no' : 'yes'); setInterval(() => {}, 1000)`
  writeFileSync(at('holder.mjs'), script)
  const holder = spawn(process.execPath, [at('holder.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(holder.stdout, 'data')) as [Buffer]
  assert.equal(said.toString(), 'yes')
  assert.equal(security.lock(file), undefined)
  holder.kill()
  await once(holder, 'close')
  const last = security.lock(file)
  assert.notEqual(last, undefined)
  last?.[Symbol.dispose]()
})
