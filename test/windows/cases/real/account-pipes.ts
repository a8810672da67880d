/** The pipes between the launcher and its runner (`native/runner-pipes.c`): whom they let in. Access lists of pipes are the kernel double's. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { sids } from '../../support/confined.ts'

const program = join(process.env['BULKHEAD_STAGE'] ?? '', 'programs', 'runner-pipes.exe')

for (const [what, title, said] of [
  ['right', 'the process that was started is let in', 'ok'],
  ['stranger', 'another process is found out, also when it was faster', 'another process opened the pipe of the runner 5'],
  ['ended', 'a process that ends instead is not waited for', 'starting the runner 7'],
  ['taken', 'a name that is taken is an error, and nothing of the other pipes is left', 'making the pipes of the runner 5'],
  ['server', 'the process that was started does not speak to another server', '5'],
  // ERROR_PIPE_BUSY
  ['second', 'nobody else can open them afterwards', 'ok 231'],
  ['backwards', 'each is for one direction', '5'],
] as const) {
  test(title, () => {
    assert.equal(
      execFileSync(program, [what, sids.user], { encoding: 'utf8' })
        .trim()
        .replace(/\s+(?=\d+$)/, ' '),
      said,
    )
  })
}
