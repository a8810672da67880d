import { describe, expect, test } from 'vitest'
import { parseToken } from './token.ts'
import { decide } from './wfp.ts'
import { wfpScenes } from './wfp-cases.ts'

describe.each(wfpScenes)('$title', ({ sublayers, filters, flows }) => {
  test.each(flows)('$id: $why', ({ flow, token, verdict }) => {
    expect(decide(sublayers, filters, flow, parseToken(token))).toBe(verdict)
  })
})
