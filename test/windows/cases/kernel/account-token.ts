/** Every claim of the token of an agent account holds when it is attacked. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createHost, createLauncher } from '../../../../native/index.ts'
import plugin from '../../../../plugins/token-account/index.ts'
import { accountSetup } from '../../../../plugins/token-account/setup.ts'
import { SetupDesk } from '../../support/agent-accounts.ts'
import { attackToken } from '../../support/restricted.ts'

const desk = new SetupDesk()
const setup = accountSetup()

before(() => setup.install(desk.context(3)))
after(() => setup.remove(desk.context(null)))

for (const options of [{}, { tier: 'write-restricted' }, { integrity: 'medium', privateDesktop: false }]) {
  test(`each claim holds: ${JSON.stringify(options)}`, async () => {
    const { plan, evidence } = await attackToken(options, (spec) => spec, plugin)
    assert.deepEqual(
      evidence.map(({ claim }) => claim),
      plan.enforces.map(({ id }) => id),
    )
    assert.deepEqual(
      evidence.filter(({ held }) => !held),
      [],
    )
  })
}

test('a token without the account is found out', async () => {
  const { evidence } = await attackToken(
    {},
    (spec) => (spec.token?.mechanism === 'windows-restricted' ? { ...spec, token: { ...spec.token, account: null } } : spec),
    plugin,
  )
  assert.deepEqual(
    evidence.filter(({ held }) => !held).map(({ claim }) => claim),
    ['own-account'],
  )
})

test('the host knows how many accounts there are', async () => {
  await using launcher = createLauncher()
  assert.deepEqual(await plugin.probe(createHost(launcher)), {
    usable: true,
    tier: 'full',
    detail: 'one of 3 local accounts for each agent, with a restricted token in a job object',
  })
})
