/** The double itself: processes and pipes under tokens that are checked twice. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { attempt, confine, tiers } from '../../support/confined.ts'

describe('somebody confined', () => {
  const pid = process.pid
  const lines = ['0x0010', '0x0020', '0x0001', '0x0040', '0x0400', '0x0800', '0x40000', '0x1000'].map(
    (access) => `open-process|${pid}|${access}`,
  )
  const answers = attempt(tiers.blind, lines)
  for (const line of lines) test(`may not ${line}`, () => assert.equal(answers.get(line), '5'))
  test('sees no process where there is none', () => {
    assert.deepEqual([...attempt(tiers.blind, ['open-process|999998|0x1000']).values()], ['87'])
  })
})

test('a token says what it was made with', () => {
  const said = confine([...tiers.blind, '--show'])
  assert.match(said, /^integrity S-1-16-4096 /m)
  assert.match(said, /^restricting S-1-5-21-11-22-33-44 /m)
  assert.match(said, /^deny-only S-1-5-32-544 /m)
  assert.match(said, /^privileges 1\s/m)
  assert.match(said, /^restricted 1/m)
})

test('a token that nobody restricted is not', () => {
  const said = confine(['--show'])
  assert.match(said, /^integrity S-1-16-12288 /m)
  assert.match(said, /^restricted 0/m)
  assert.doesNotMatch(said, /^(?:restricting|deny-only)/m)
})

test('a pipe of the user’s is closed to somebody confined, and open otherwise', async () => {
  const path = `\\\\.\\pipe\\double-${process.pid}`
  const server = createServer((socket) => socket.destroy()).listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  const line = `open|${path}|0xC0000000`
  const confined = attempt(tiers.blind, [line])
  const free = attempt(['--flags', '0'], [line])
  server.close()
  assert.deepEqual([[...confined.values()], [...free.values()]], [['5'], ['ok']])
})
