import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commitMessage } from '../../../core/scheduler/commit-message.ts'
import { newJobId } from '../../../core/scheduler/index.ts'
import { slug } from '../../../core/scheduler/names.ts'
import { portRange, reservePort } from '../../../core/scheduler/ports.ts'
import { retryDelay } from '../../../core/scheduler/retry.ts'
import { jobSpec } from '../../support/job-spec.ts'

describe('retry delay', () => {
  test('doubles, is capped, and its jitter reaches from nothing to the bound', () => {
    const retry = { attempts: 9, delayMs: 100, maximumMs: 500 }
    const most = [1, 2, 3, 4, 5].map((attempt) => retryDelay(retry, attempt, () => 0.999_999))
    expect(most).toEqual([100, 200, 400, 500, 500])
    expect(retryDelay(retry, 3, () => 0)).toBe(0)
    expect(retryDelay(retry, 1_000, () => 0.5)).toBe(250)
  })
})

describe('ports', () => {
  test('are the same for the same name, and another where that one is taken', () => {
    const port = reservePort('web', new Set())
    expect(reservePort('web', new Set())).toBe(port)
    expect(reservePort('web', new Set([port]))).not.toBe(port)
  })

  test('never collide, stay in range, and run out with an error', () => {
    const taken = new Set<number>()
    const size = portRange.last - portRange.first + 1
    for (let index = 0; index < size; index++) taken.add(reservePort(`job-${index % 7}`, taken))
    expect(taken.size).toBe(size)
    expect([Math.min(...taken), Math.max(...taken)]).toEqual([portRange.first, portRange.last])
    expect(() => reservePort('one-more', taken)).toThrow('Every port')
  })
})

describe('names', () => {
  test.each([
    ['Fix the login bug!', 'fix-the-login-bug'],
    ['  Überprüfe die Größe', 'uberprufe-die-gro-e'],
    ['修复登录', 'job'],
    ['', 'job'],
    ['con', 'job-con'],
    ['../../etc/passwd --force', 'etc-passwd-force'],
    ['x'.repeat(90), 'x'.repeat(40)],
    ['Refactor everything in the whole repository so that it is good', 'refactor-everything-in-the-whole'],
  ])('%j becomes %s', (prompt, expected) => expect(slug(prompt)).toBe(expected))

  test('of any prompt are valid', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (prompt) => {
        expect(slug(prompt)).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/)
      }),
    )
  })
})

test('job ids have the promised form and do not repeat', () => {
  const ids = Array.from({ length: 1_000 }, newJobId)
  expect(ids.filter((id) => !/^job_[a-z0-9]{12}$/.test(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
})

describe('commit message', () => {
  test('says what was asked for and who did it', () => {
    const spec = jobSpec({
      prompt: '\n\n  Fix the\tlogin\u001b[31m bug \nand more',
      agent: { name: 'codemod', adapter: 'x', options: null },
    })
    expect(commitMessage(spec, { 'Bulkhead-Approved-By': 'ann' })).toEqual({
      subject: 'Fix the login [31m bug',
      body: '',
      trailers: { 'Bulkhead-Job': spec.id, 'Bulkhead-Agent': 'codemod', 'Bulkhead-Approved-By': 'ann' },
    })
  })

  test('has a subject of one line, at most 72 characters, whatever the prompt is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (prompt) => {
        const { subject } = commitMessage(jobSpec({ prompt }))
        expect(subject).not.toBe('')
        expect(subject).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}/u)
        expect([...new Intl.Segmenter().segment(subject)].length).toBeLessThanOrEqual(72)
      }),
    )
    expect(commitMessage(jobSpec({ prompt: 'word '.repeat(30) })).subject).toMatch(/^.{65,71}…$/)
  })

  test('is made at once, however long the prompt is', () => {
    const begin = performance.now()
    expect(commitMessage(jobSpec({ prompt: 'x'.repeat(1_000_000) })).subject).toBe(`${'x'.repeat(71)}…`)
    // One character of 3,001 marks is cut before any that would be half.
    expect(commitMessage(jobSpec({ prompt: `${'x'.repeat(50)}e${'\u0301'.repeat(3000)}` })).subject).toBe(`${'x'.repeat(50)}…`)
    expect(performance.now() - begin).toBeLessThan(1_000)
  })
})
