/** Who is no administrator and was not let adds no filter, and cannot let himself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeNetwork, grantFiltering, mayFilter, userOfThisProcess } from '../../../../native/windows/wfp.ts'

const refused = (operation: string) => ({ code: 'native_failed', message: `${operation} failed with EACCES` })

test('no filter is added', () => assert.rejects(closeNetwork('S-1-5-21-7-8-9-1005', 49_152), refused('FwpmTransactionBegin0')))

test('the list of the engine is not even read, and not changed', async () => {
  const me = userOfThisProcess()
  await assert.rejects(mayFilter(me), refused('FwpmEngineGetSecurityInfo0'))
  await assert.rejects(grantFiltering(me), refused('FwpmEngineGetSecurityInfo0'))
})
