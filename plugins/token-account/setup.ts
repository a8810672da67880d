import type { LayerSetup } from '../../core/contracts/index.ts'
import { thisMachine } from './machine.ts'
import type { Machine } from './machine.ts'
import { stepsToInstall } from './setup-install.ts'
import { accountRemovals, otherRemovals, refuseWhileUsed } from './setup-remove.ts'
import { carryOut, carryOutAll } from './step.ts'

/** Makes and removes the pool of agent accounts. `machine` is asked for each time, since it changes under our hands. */
export function accountSetup(machine: () => Machine = thisMachine): LayerSetup {
  return {
    describe: async (change, context) => {
      const here = machine()
      const steps =
        change === 'install' ? stepsToInstall(here, context) : [...accountRemovals(here, context), ...otherRemovals(here, context)]
      return steps.map(({ text }) => text)
    },
    install: async (context) => carryOut(stepsToInstall(machine(), context), context),
    remove: async (context) => {
      refuseWhileUsed(machine())
      await carryOutAll(accountRemovals(machine(), context), context)
      // The passwords and the group go when no account needs them any more.
      await carryOutAll(otherRemovals(machine(), context), context)
    },
  }
}
