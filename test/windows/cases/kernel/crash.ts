/** The orchestrator is killed at each step of a launch behind all four walls; after the next start everything is as it was. */
import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileSecurity, poolDirectory } from '../../../../native/index.ts'
import { closeNetwork, userOfThisProcess } from '../../../../native/windows/wfp.ts'
import { dieAtEveryStep } from '../../support/crash/every-step.ts'
import { namesBelow } from '../../support/crash/world.ts'
import { filterCount } from '../../support/filters.ts'
import { setUp } from '../../support/set-up.ts'
import { environmentOf } from '../../support/walls.ts'

const environment = environmentOf({ filesystem: 'fs-acl', token: 'token-account', network: 'net-wfp', interception: 'intercept-hook' })

let machine: AsyncDisposable | undefined
// One account: a lease that is not given back would hold up the next launch.
before(async () => (machine = await setUp(environment, 1)))
after(async () => machine?.[Symbol.asyncDispose]())

/** Access lists of what a launch opens or passes through, the directories that it makes for an agent, and the filters of the network. */
function look(): Readonly<Record<string, unknown>> {
  const security = fileSecurity()
  const stage = process.env['BULKHEAD_STAGE'] ?? ''
  const paths = [homedir(), dirname(homedir()), stage, join(stage, 'dist'), dirname(process.execPath), 'C:\\', poolDirectory()]
  return {
    lists: paths.map((path) => [path, security.read(path, 'access')?.sddl]),
    private: namesBelow(join(homedir(), 'AppData', 'Local', 'Bulkhead', 'private')),
    filters: filterCount(),
  }
}

test('control: filters are seen', async () => {
  const none = filterCount()
  await using wall = await closeNetwork(userOfThisProcess(), 1)
  assert.ok(wall)
  assert.ok(filterCount() > none)
})

test('killed at each step of a launch, nothing is left', async (context) => {
  const deaths = await dieAtEveryStep(environment, look)
  context.diagnostic(`${deaths.length} deaths: ${deaths.map(({ step }) => step).join(', ')}`)
  const met = deaths.flatMap((death) => death.met.map((line) => line.split(':', 1)[0]))
  assert.deepEqual(
    ['granted', 'private', 'receipts', 'making'].filter((kind) => !met.includes(kind)),
    [],
    'control: deaths leave something to be put back',
  )
  assert.deepEqual(
    deaths.filter(({ left }) => left.length > 0),
    [],
  )
  assert.ok(deaths.length > 20, 'the launch has more steps than that')
  assert.equal(deaths.at(-1)?.step, 'none')
})
