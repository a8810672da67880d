import { z } from 'zod'
import type { EnvironmentSpec } from '../../core/contracts/job.ts'
import { layers } from '../../core/contracts/layer.ts'
import type { AppliedLayer, Availability, Evidence, Layer, LayerPlan, LayerPlugin, Receipt } from '../../core/contracts/layer.ts'
import type { LaunchSpec } from '../../core/contracts/launch.ts'

/** Side effects that fake layers have on an imaginary machine, and the order of everything that happened. */
export class FakeWorld {
  readonly log: string[] = []
  readonly effects = new Set<string>()
  /** Called before every step; throws or hangs where a test wants the world to end. */
  step: (name: string) => void | Promise<void> = () => undefined

  async act(name: string, work: () => void = () => undefined): Promise<void> {
    await this.step(name)
    work()
    this.log.push(name)
  }
}

export interface FakeLayerOptions {
  readonly world?: FakeWorld
  /** Side effects of `apply`, each with a receipt. */
  readonly effects?: number
  readonly replace?: Partial<LayerPlugin>
  readonly replaceApplied?: Partial<AppliedLayer>
  readonly replacePlan?: Partial<LayerPlan>
  readonly availability?: Availability
  readonly provides?: readonly string[]
  readonly requires?: readonly string[]
}

/** A layer plugin named `<layer>-fake` that fulfils the contract; each hook can be replaced by one that does not. */
export function fakeLayer(layer: Layer, options: FakeLayerOptions = {}): LayerPlugin {
  const world = options.world ?? new FakeWorld()
  const id = `${layer}-fake`
  const undo = async (name: string): Promise<void> => world.act(`undo ${name}`, () => void world.effects.delete(name))
  const applied = (names: readonly string[]): AppliedLayer => ({
    contribute: (spec) => ({
      ...spec,
      [layer]: { mechanism: `fake-${layer}` },
      command: { ...spec.command, environment: { ...spec.command.environment, [layer.toUpperCase()]: 'on' } },
    }),
    attach: async () => world.act(`attach ${layer}`),
    verify: async (probe): Promise<readonly Evidence[]> => {
      await world.act(`verify ${layer}`)
      const [outcome] = await probe.attempt([{ op: 'read', path: `/secret/${layer}` }])
      return [{ claim: 'holds', held: outcome?.ok === false, detail: `read: ${outcome?.error ?? 'succeeded'}` }]
    },
    [Symbol.asyncDispose]: async () => {
      await world.act(`dispose ${layer}`)
      for (const name of names.toReversed()) await undo(name)
    },
    ...options.replaceApplied,
  })
  return {
    id,
    layer,
    contract: 1,
    options: z.object({ strict: z.boolean().default(true) }),
    provides: options.provides ?? [],
    requires: options.requires ?? [],
    probe: async () => options.availability ?? { usable: true, tier: 'full', detail: 'fake' },
    plan: (_policy, chosen) => ({
      plugin: id,
      layer,
      tier: 'full',
      enforces: [{ id: 'holds', text: `the ${layer} wall holds` }],
      unsupported: [],
      steps: ['pretend'],
      data: chosen,
      ...options.replacePlan,
    }),
    apply: async (_plan, context) => {
      const names = Array.from({ length: options.effects ?? 2 }, (_, index) => `${context.job}/${layer}/${index}`)
      for (const name of names) {
        await world.act(`receipt ${name}`, () => undefined)
        await context.record({ plugin: id, data: { name } })
        await world.act(`effect ${name}`, () => void world.effects.add(name))
      }
      await world.act(`applied ${layer}`)
      return applied(names)
    },
    recover: async (receipt: Receipt) => undo((receipt.data as { name: string }).name),
    ...options.replace,
  }
}

export function fakeLayers(world: FakeWorld, special: Partial<Record<Layer, FakeLayerOptions>> = {}): ReadonlyMap<string, LayerPlugin> {
  return new Map(layers.map((layer) => fakeLayer(layer, { world, ...special[layer] })).map((plugin) => [plugin.id, plugin]))
}

const choice = (layer: Layer): EnvironmentSpec['layers'][Layer] => ({ plugin: `${layer}-fake`, options: {} })

export function fakeEnvironment(degrade: readonly Layer[] = []): EnvironmentSpec {
  return {
    name: 'fake',
    layers: {
      filesystem: choice('filesystem'),
      token: choice('token'),
      network: choice('network'),
      interception: choice('interception'),
    },
    degrade,
  }
}

/** What the four fakes together make of an empty specification. */
export const fakeParts = Object.fromEntries(layers.map((layer) => [layer, { mechanism: `fake-${layer}` }])) as unknown as Omit<
  LaunchSpec,
  'command' | 'limits'
>
