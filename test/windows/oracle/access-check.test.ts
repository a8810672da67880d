import { describe, expect, test } from 'vitest'
import { accessCases } from './access-cases.ts'
import { accessCheck, fileCheck, mappings } from './access-check.ts'
import { fileCases } from './file-cases.ts'
import { parseSddl } from './sddl.ts'
import { parseToken } from './token.ts'

describe('access check', () => {
  test.each(accessCases)('$id: $why', ({ sd, token, desired, mapping, status, granted }) => {
    const expected = status === 'granted' ? (granted ?? desired) : 0
    expect(accessCheck(parseSddl(sd), parseToken(token), desired, mappings[mapping ?? 'file'])).toEqual({ status, granted: expected })
  })

  test.each(fileCases)('file $id: $why', ({ sd, parent, token, desired, status, granted }) => {
    const expected = status === 'granted' ? (granted ?? desired) : 0
    expect(fileCheck(parseSddl(sd), parseSddl(parent), parseToken(token), desired)).toEqual({ status, granted: expected })
  })

  test('no case is there twice, and none only says yes', () => {
    const ids = [...accessCases, ...fileCases].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(accessCases.filter(({ status }) => status !== 'granted').length).toBeGreaterThan(30)
    expect(accessCases.filter(({ status }) => status === 'granted').length).toBeGreaterThan(30)
  })
})
