import type { EnvironmentSpec } from '../../../core/contracts/index.ts'
import { layers } from '../../../core/contracts/index.ts'
import { layerPlugins } from '../../../plugins/index.ts'
import { SetupDesk } from './agent-accounts.ts'

/** Sets the machine up for an environment as `bulkhead setup` does, until it is disposed. */
export async function setUp(environment: EnvironmentSpec, accounts: number): Promise<AsyncDisposable> {
  const setups = layers.flatMap((layer) => layerPlugins.get(environment.layers[layer].plugin)?.setup ?? [])
  // A ledger for each: a plugin is told of its own receipts.
  const desks = setups.map((setup) => ({ setup, desk: new SetupDesk() }))
  for (const { setup, desk } of desks) await setup.install(desk.context(accounts))
  return {
    [Symbol.asyncDispose]: async () => {
      for (const { setup, desk } of desks.toReversed()) await setup.remove(desk.context(null))
    },
  }
}
