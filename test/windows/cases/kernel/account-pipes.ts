/** The pipes between the launcher and its runner are open to the account that they are made for, and not even to the user who makes them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { sids } from '../../support/confined.ts'

const program = join(process.env['BULKHEAD_STAGE'] ?? '', 'programs', 'runner-pipes.exe')
const ask = (sid: string): string => execFileSync(program, ['right', sid], { encoding: 'utf8' }).trim()

test('who is named gets in', () => assert.equal(ask(sids.user), 'ok'))
test('who is not, does not', () => assert.equal(ask('S-1-5-21-1-2-3-4'), 'starting the runner 5'))
