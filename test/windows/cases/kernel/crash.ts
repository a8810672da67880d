/** The orchestrator is killed at each step of a launch behind the walls; after the next start everything is as it was. */
import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileSecurity } from '../../../../native/index.ts'
import { dieAtEveryStep } from '../../support/crash/every-step.ts'
import { namesBelow } from '../../support/crash/world.ts'
import { environmentOf } from '../../support/walls.ts'

const environment = environmentOf({ filesystem: 'fs-acl', token: 'token-restricted', network: 'net-wfp', interception: 'intercept-hook' }, [
  'network',
])

/** Access lists of what a launch opens or passes through, and the directories that it makes for an agent. */
function look(): Readonly<Record<string, unknown>> {
  const security = fileSecurity()
  const stage = process.env['BULKHEAD_STAGE'] ?? ''
  const paths = [homedir(), dirname(homedir()), stage, join(stage, 'dist'), dirname(process.execPath), 'C:\\']
  return {
    lists: paths.map((path) => [path, security.read(path, 'access')?.sddl]),
    private: namesBelow(join(homedir(), 'AppData', 'Local', 'Bulkhead', 'private')),
  }
}

test('killed at each step of a launch, nothing is left', async (context) => {
  const deaths = await dieAtEveryStep(environment, look)
  context.diagnostic(`${deaths.length} deaths: ${deaths.map(({ step }) => step).join(', ')}`)
  assert.deepEqual(
    deaths.filter(({ left }) => left.length > 0),
    [],
  )
  assert.ok(deaths.length > 20, 'the launch has more steps than that')
  assert.equal(deaths.at(-1)?.step, 'none')
})
