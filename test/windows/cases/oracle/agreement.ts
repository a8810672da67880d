/** The kernel double decides as the oracle does, and both as the table says. One table, two programs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { accessCases } from '../../oracle/access-cases.ts'
import { accessCheck, fileCheck, mappings } from '../../oracle/access-check.ts'
import { fileCases } from '../../oracle/file-cases.ts'
import { inherit, merge } from '../../oracle/inherit.ts'
import { inheritCases } from '../../oracle/inherit-cases.ts'
import { accessLine, fileLine, inheritLine, verdictLine, wfpLines } from '../../oracle/lines.ts'
import { parseSddl, printSddl } from '../../oracle/sddl.ts'
import { parseToken } from '../../oracle/token.ts'
import { decide } from '../../oracle/wfp.ts'
import { wfpScenes } from '../../oracle/wfp-cases.ts'

/** What the double says, by case. */
function askDouble(lines: readonly string[]): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'))
  try {
    const file = join(folder, 'cases.txt')
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
    const said = execFileSync(join(process.env['BULKHEAD_STAGE'] ?? '', 'double', 'double-check.exe'), [file], { encoding: 'utf8' })
    const answers = said.split(/\r?\n/).filter((line) => line !== '')
    // A program that crashes inside Wine may end with 0.
    assert.equal(answers.pop(), 'double-check: end')
    return new Map(answers.map((line) => [line.split(' ', 1)[0] ?? '', line]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const answers = askDouble([
  ...accessCases.map(accessLine),
  ...fileCases.map(fileLine),
  ...inheritCases.map(inheritLine),
  ...wfpScenes.flatMap(wfpLines),
])

describe('access checks', () => {
  for (const one of accessCases) {
    test(`${one.id}: ${one.why}`, () => {
      const expected = one.status === 'granted' ? (one.granted ?? one.desired) : 0
      const verdict = accessCheck(parseSddl(one.sd), parseToken(one.token), one.desired, mappings[one.mapping ?? 'file'])
      assert.equal(answers.get(one.id), verdictLine(one.id, one.status, expected))
      assert.equal(answers.get(one.id), verdictLine(one.id, verdict.status, verdict.granted))
    })
  }
})

describe('files', () => {
  for (const one of fileCases) {
    test(`${one.id}: ${one.why}`, () => {
      const verdict = fileCheck(parseSddl(one.sd), parseSddl(one.parent), parseToken(one.token), one.desired)
      assert.equal(answers.get(one.id), verdictLine(one.id, verdict.status, verdict.granted))
    })
  }
})

describe('inheritance', () => {
  for (const one of inheritCases) {
    test(`${one.id}: ${one.why}`, () => {
      const parent = parseSddl(one.parent)
      const { owner, own, kind } = one
      const child = own === undefined ? inherit(parent, kind, owner) : merge({ ...parseSddl(own), owner }, parent, kind)
      assert.equal(answers.get(one.id), `${one.id} ${one.child}`)
      assert.equal(answers.get(one.id), `${one.id} ${printSddl(child)}`)
    })
  }
})

for (const scene of wfpScenes) {
  describe(scene.title, () => {
    for (const { id, why, flow, token, verdict } of scene.flows) {
      test(`${id}: ${why}`, () => {
        assert.equal(answers.get(id), `${id} ${verdict}`)
        assert.equal(answers.get(id), `${id} ${decide(scene.sublayers, scene.filters, flow, parseToken(token))}`)
      })
    }
  })
}
