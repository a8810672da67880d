/** What the filesystem layer asks the system to set: on these objects, in this order, one by one; and what stays when that fails. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { AppliedLayer, Receipt, WorkspaceView } from '../../../../core/contracts/index.ts'
import fsAcl from '../../../../plugins/fs-acl/index.ts'
import { AclBed } from '../../support/acl-bed.ts'
import { failing, recorded } from '../../support/calls.ts'
import type { Call } from '../../support/calls.ts'

const bed = new AclBed()
after(() => bed[Symbol.asyncDispose]())

/** DACL_SECURITY_INFORMATION, LABEL_SECURITY_INFORMATION. */
const parts: Readonly<Record<string, string>> = { '0x4': 'access', '0x10': 'label' }

/** Files whose descriptor was set: which part of which, below `directory`. */
function settings(calls: readonly Call[], directory: string): readonly string[] {
  return calls.flatMap(({ call, in: given }) => {
    const path = typeof given['path'] === 'string' ? given['path'] : ''
    if (call !== 'NtSetSecurityObject' || given['kind'] !== 'file' || !path.toLowerCase().startsWith(directory.toLowerCase())) return []
    return [`${parts[String(given['info'])] ?? String(given['info'])} ${path.slice(directory.length + 1).toLowerCase()}`]
  })
}

function checkout(name: string): WorkspaceView {
  const path = bed.at(name)
  mkdirSync(join(path, '.git'), { recursive: true })
  mkdirSync(join(path, 'src'))
  writeFileSync(join(path, 'src', 'a.ts'), 'a')
  return { path, gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } }
}

describe('an empty workspace', () => {
  test('has one list set; what is made in it is made with its own', async () => {
    const [making, final] = [bed.at('one.making'), bed.at('one')]
    mkdirSync(making)
    const { calls, error } = await recorded(() => bed.prepare(making, final))
    assert.equal(error, undefined)
    assert.deepEqual(settings(calls, making), ['access '])
    const [call] = calls.filter(({ in: given }) => given['kind'] === 'file')
    assert.match(JSON.stringify(call?.in['descriptor']), /D:P/)
    assert.equal(call?.in['propagates'], false)
  })

  test('is not prepared when that fails', async () => {
    const making = bed.at('two.making')
    mkdirSync(making)
    const { error } = await recorded(() => failing([['NtSetSecurityObject', 1, '0xc0000022']], () => bed.prepare(making, bed.at('two'))))
    assert.match(String(error), /EACCES/)
    assert.deepEqual(
      bed.descriptors().filter((line) => line.startsWith(`${making}\\`)),
      [],
    )
  })
})

describe('a directory that was there before', () => {
  test('is opened before what is in it, protected last, and closed again in the other order; nothing propagates', async () => {
    const view = checkout('ordered')
    let applied: AppliedLayer | undefined
    const opening = await recorded(async () => {
      applied = await bed.apply(view)
    })
    assert.equal(opening.error, undefined)
    const inside = settings(opening.calls, view.path)
    const content = ['.git', 'src', 'src\\a.ts']
    assert.equal(inside[0], 'access ')
    assert.deepEqual(
      inside.slice(1, 4).toSorted(),
      content.map((name) => `access ${name}`),
    )
    assert.equal(inside[4], 'label ')
    assert.deepEqual(
      inside.slice(5, 8).toSorted(),
      content.map((name) => `label ${name}`),
    )
    assert.deepEqual(inside.slice(8), ['access .git'])
    assert.deepEqual(
      opening.calls.filter(({ in: given }) => given['propagates'] === true),
      [],
    )

    const closing = await recorded(async () => applied?.[Symbol.asyncDispose]())
    const outside = settings(closing.calls, view.path)
    assert.equal(outside[0], 'access .git')
    assert.equal(outside[1], 'label ')
    assert.equal(outside[5], 'access ')
    assert.equal(outside.length, 9)
  })

  for (const [name, status] of [
    ['access denied', '0xc0000022'],
    ['a full disk', '0xc000007f'],
  ] as const) {
    test(`is as before when any of it fails with ${name}`, async () => {
      const view = checkout(name.replaceAll(' ', '-'))
      const before = bed.descriptors()
      for (let count = 1; ; count++) {
        const receipts: Receipt[] = []
        const record = (receipt: Receipt): void => void receipts.push(JSON.parse(JSON.stringify(receipt)) as Receipt)
        const { calls } = await recorded(() =>
          failing([['NtSetSecurityObject', count, status]], async () => {
            const applied = await bed.apply(view, { record, filesystem: { deny: ['src'] } }).catch(() => undefined)
            return applied
          }),
        )
        for (const receipt of receipts.toReversed()) await fsAcl.recover(receipt)
        assert.deepEqual(bed.descriptors(), before, `call ${count}`)
        if (calls.filter(({ call }) => call === 'NtSetSecurityObject').length < count) break
        assert.ok(count < 60)
      }
    })
  }
})
