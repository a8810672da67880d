/**
 * What the filesystem layer leaves on files: these very descriptors, inherited by what is made inside, and after it everything as before. The
 * double keeps descriptors as Windows does; bare Wine loses most of them.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Receipt } from '../../../../core/contracts/index.ts'
import { fileSecurity } from '../../../../native/index.ts'
import fsAcl from '../../../../plugins/fs-acl/index.ts'
import { workspaceSid } from '../../../../plugins/fs-acl/sid.ts'
import { AclBed } from '../../support/acl-bed.ts'

const bed = new AclBed()
after(() => bed[Symbol.asyncDispose]())

const at = (...names: readonly string[]): string => bed.at(...names)
const list = (path: string): string => bed.list(path)
const label = (path: string): string => bed.label(path)
const user = fileSecurity().userSid()
const hosts = `(A;OICI;FA;;;${user})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`
const hostsInherited = (flags: string): string => [user, 'SY', 'BA'].map((sid) => `(A;${flags};FA;;;${sid})`).join('')

describe('a workspace that is prepared', () => {
  test('has these descriptors, and what is made in it inherits', async () => {
    const view = await bed.workspace('prepared')
    const sid = workspaceSid(view.path)
    const granted = `D:P${hosts}(A;;0x1201bf;;;${sid})(A;OICIIO;0x1301bf;;;${sid})`
    assert.equal(list(at('prepared')), `D:P${hosts}(A;;0x1000a0;;;${sid})`)
    assert.equal(list(view.path), granted)
    assert.equal(list(view.gitDirectory ?? ''), granted)
    assert.equal(list(join(view.path, '.git')), `D:P${hosts}`)
    assert.equal(label(view.path), 'S:(ML;OICI;NW;;;LW)')
    assert.equal(label(join(view.path, '.git')), 'S:(ML;OICI;NW;;;ME)')
    assert.equal(list(join(view.path, 'src')), `D:AI${hostsInherited('OICIID')}(A;OICIID;0x1301bf;;;${sid})`)
    assert.equal(list(join(view.path, 'src', 'a.ts')), `D:AI${hostsInherited('ID')}(A;ID;0x1301bf;;;${sid})`)
    assert.match(label(join(view.path, 'src', 'a.ts')), /^S:(?:AI)?\(ML;ID;NW;;;LW\)$/)
    assert.equal(list(at('prepared', 'workspace.json')), `D:AI${hostsInherited('ID')}`)
    assert.equal(label(at('prepared', 'workspace.json')), '')
  })
})

describe('what an agent shuts its owner out of', () => {
  test('can be deleted all the same', () => {
    const security = fileSecurity()
    const tree = at('hostile')
    mkdirSync(tree)
    // Whoever makes something chooses its first list: here the workspace's SID alone.
    const shut = 'D:P(A;OICI;FA;;;S-1-5-21-1-2-3-4)'
    security.makeDirectory(join(tree, 'shut'), `D:P(A;OICI;FA;;;${user})`)
    writeFileSync(join(tree, 'shut', 'file'), 'x')
    mkdirSync(join(tree, 'shut', 'inner'))
    for (const path of [join(tree, 'shut', 'file'), join(tree, 'shut', 'inner'), join(tree, 'shut')]) {
      security.write(path, security.read(path, 'access')?.identity ?? '', 'access', shut)
    }
    assert.throws(() => rmSync(tree, { recursive: true }), /EPERM|EACCES/)
    security.deleteTree(tree)
    assert.equal(existsSync(tree), false)
  })
})

describe('a launch', () => {
  test('leaves every descriptor as it was', async () => {
    const view = await bed.workspace('launched')
    mkdirSync(at('data', 'deep'), { recursive: true })
    writeFileSync(at('data', 'deep', 'x'), '')
    const before = bed.descriptors()
    const applied = await bed.apply(view, { filesystem: { write: [at('data')], deny: ['README.md', 'later'] } })
    const sid = workspaceSid(view.path)
    assert.match(list(at('data', 'deep', 'x')), new RegExp(`\\(A;ID;0x1301bf;;;${sid}\\)`))
    assert.equal(label(at('data')), 'S:(ML;OICI;NW;;;LW)')
    assert.match(list(join(view.path, 'README.md')), new RegExp(`^D:AI\\(D;;FA;;;${sid}\\)`))
    assert.match(list(join(view.path, 'bulkhead.yaml')), /^D:P/)
    assert.match(list(bed.area), new RegExp(`\\(A;;0x1000a0;;;${sid}\\)`))
    await applied[Symbol.asyncDispose]()
    assert.deepEqual(bed.descriptors(), before)
  })

  test('in a directory that was there before opens it and closes it again', async () => {
    const path = at('checkout')
    mkdirSync(join(path, '.git', 'hooks'), { recursive: true })
    mkdirSync(join(path, 'src'))
    writeFileSync(join(path, 'src', 'a.ts'), 'a')
    const before = bed.descriptors()
    const applied = await bed.apply({ path, gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } })
    const sid = workspaceSid(path)
    assert.match(list(join(path, 'src', 'a.ts')), new RegExp(`\\(A;ID;0x1301bf;;;${sid}\\)`))
    assert.match(list(join(path, '.git', 'hooks')), new RegExp(`^D:AI\\(D;OICI;(?:0xd0156|DCLCRPDTCRSDWDWO);;;${sid}\\)`))
    writeFileSync(join(path, 'src', 'made-meanwhile.ts'), 'b')
    await applied[Symbol.asyncDispose]()
    rmSync(join(path, 'src', 'made-meanwhile.ts'))
    assert.deepEqual(bed.descriptors(), before)
  })

  test('that fails at any receipt is undone from the receipts before it', async () => {
    const view = await bed.workspace('failing')
    mkdirSync(at('wanted', 'deep'), { recursive: true })
    const [before, ownBefore] = [bed.descriptors(), bed.own()]
    for (let last = 0; ; last++) {
      const receipts: Receipt[] = []
      const record = (receipt: Receipt): void => {
        if (receipts.length === last) throw new Error('the journal is full')
        receipts.push(JSON.parse(JSON.stringify(receipt)) as Receipt)
      }
      const applied = await bed
        .apply(view, { filesystem: { write: [at('wanted')], deny: ['src', 'later'] }, record })
        .catch((error: unknown) => {
          assert.match(String(error), /the journal is full/)
          return null
        })
      // As after the end of the process: nobody disposes of the layer.
      for (const round of [1, 2]) {
        for (const receipt of receipts.toReversed()) await fsAcl.recover(receipt)
        assert.deepEqual(bed.descriptors(), before, `round ${round} after receipt ${last}`)
      }
      if (applied !== null) break
      assert.ok(last < 50)
    }
    assert.deepEqual(bed.own(), ownBefore)
    assert.equal(existsSync(join(view.path, 'later')), false)
  })
})
