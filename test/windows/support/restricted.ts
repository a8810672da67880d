import { homedir } from 'node:os'
import type { Evidence, LaunchSpec, LayerPlan } from '../../../core/contracts/index.ts'
import { emptyPolicy } from '../../support/fake-request.ts'
import { createHost, createLauncher } from '../../../native/index.ts'
import tokenRestricted from '../../../plugins/token-restricted/index.ts'
import { bareParts, command } from './specs.ts'

interface Attacked {
  readonly plan: LayerPlan
  readonly evidence: readonly Evidence[]
}

const workspace = { path: homedir(), gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } }

/** Plans and applies a token layer with these options, alone, and attacks it; `change` is made to the specification in between. */
export async function attackToken(
  options: unknown = {},
  change = (spec: LaunchSpec): LaunchSpec => spec,
  plugin = tokenRestricted,
): Promise<Attacked> {
  await using launcher = createLauncher()
  const host = createHost(launcher)
  const plan = plugin.plan(emptyPolicy, plugin.options.parse(options), {
    host,
    job: 'job',
    workspace,
    availability: await plugin.probe(host),
    capabilities: [],
  })
  const signal = new AbortController().signal
  await using applied = await plugin.apply(plan, {
    host,
    job: 'job',
    workspace,
    signal,
    provided: {},
    record: async () => undefined,
    report: () => undefined,
  })
  const spec = change(applied.contribute({ ...bareParts, command: command(['node']) }))
  await using sandbox = await launcher.launch(spec, { kind: 'pipes' })
  return { plan, evidence: await applied.verify(sandbox) }
}

export const held = ({ evidence }: Attacked): Record<string, boolean> => Object.fromEntries(evidence.map((one) => [one.claim, one.held]))
