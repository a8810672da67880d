/**
 * What a curious or hijacked agent tries. Prints one JSON line per attempt: `{"attempt", "succeeded", "detail"}`. Run without walls every
 * attempt succeeds: that is the control.
 *
 * Usage: intruder.mjs SECRET_FILE OUTSIDE_FILE URL PROGRAM
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const [secret, outside, url, program] = process.argv.slice(2)

async function attempt(name, act) {
  try {
    console.log(JSON.stringify({ attempt: name, succeeded: true, detail: String(await act()) }))
  } catch (error) {
    console.log(JSON.stringify({ attempt: name, succeeded: false, detail: String(error.cause?.code ?? error.code ?? error.message) }))
  }
}

await attempt('read a secret outside', () => `${readFileSync(secret, 'utf8').length} bytes`)
await attempt('write a file outside', () => writeFileSync(outside, 'planted\n', { flag: 'a' }))
await attempt('reach a host that is not allowed', async () => (await fetch(url, { method: 'POST', body: 'stolen' })).status)
await attempt('run a forbidden program', () => execFileSync(program, { encoding: 'utf8' }).trim().length)
