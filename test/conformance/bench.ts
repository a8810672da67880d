import type { AppliedLayer, LayerPlugin, LaunchSpec, Policy, Sandbox } from '../../core/contracts/index.ts'
import { contextFor, emptySpec } from './apply-checks.ts'
import { planOf } from './contract-checks.ts'
import type { Launch, Subject } from './subject.ts'

/** What a plugin is attacked on: a way to launch, and the layers it requires of others. */
export interface Bench {
  readonly launch: Launch
  readonly companions: readonly LayerPlugin[]
}

export interface Entered {
  readonly sandbox: Sandbox
  /** The plugin under test as applied; undefined in the control. */
  readonly applied: AppliedLayer | undefined
}

/** Runs `work` on a held sandbox with the companions and, unless it is the control, the plugin under test. Undoes everything. */
export async function inSandbox<T>(
  bench: Bench,
  subject: Subject,
  setting: { readonly policy: Policy; readonly argv: readonly string[]; readonly control: boolean },
  work: (entered: Entered) => Promise<T>,
): Promise<T> {
  const { policy, argv, control } = setting
  const plugins = control ? bench.companions : [...bench.companions, subject.plugin]
  const layers: AppliedLayer[] = []
  let provided: Readonly<Record<string, string>> = {}
  let sandbox: Sandbox | undefined
  try {
    let spec: LaunchSpec = emptySpec(policy, subject.workspace.path, argv)
    for (const plugin of plugins) {
      const tried: Subject = { ...subject, plugin, provided }
      const layer = await plugin.apply(planOf(tried, { name: 'attack', policy, options: {} }), contextFor(tried, []))
      layers.push(layer)
      provided = { ...provided, ...layer.provided }
      spec = layer.contribute(spec)
    }
    sandbox = await bench.launch(spec)
    for (const layer of layers) await layer.attach?.(sandbox)
    return await work({ sandbox, applied: control ? undefined : layers.at(-1) })
  } finally {
    await sandbox?.[Symbol.asyncDispose]()
    for (const layer of layers.toReversed()) await layer[Symbol.asyncDispose]()
  }
}
