/** The check of the demo: the host grammar of the checkout it is run in takes no spelling of an address for a name. Exits 0 when it holds. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { parseHost } = await import(pathToFileURL(join(process.cwd(), 'gateway/host.ts')).href)
for (const spelling of ['127.1', '0x7f.1', '2130706433', '017700000001', 'a.0x7f']) assert.equal(parseHost(spelling), null, spelling)
assert.equal(parseHost('Example.COM.')?.text, 'example.com')
