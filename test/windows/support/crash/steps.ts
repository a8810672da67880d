import koffi from 'koffi'
import type { AppliedLayer, Journal, Launcher, LayerPlugin, Sandbox } from '../../../../core/contracts/index.ts'

/** No handler, no flush, no finally. By the pseudo handle: by its number this process opens to nobody any more, not even to itself. */
function end(): void {
  const kernel32 = koffi.load('kernel32.dll')
  kernel32.func('int TerminateProcess(intptr process, uint32 code)')(-1, 9)
}

/** Counts the steps of a launch, and ends this process without a word at one of them. */
export class Steps {
  #reached = 0
  readonly #fatal: number
  readonly #log: (line: string) => void

  constructor(fatal: number, log: (line: string) => void) {
    this.#fatal = fatal
    this.#log = log
  }

  reach(name: string): void {
    this.#reached++
    this.#log(`${this.#reached} ${name}`)
    if (this.#reached === this.#fatal) end()
  }

  /** The same plugin, with a step before and after everything that it does. */
  plugin(plugin: LayerPlugin): LayerPlugin {
    const { id } = plugin
    return {
      ...plugin,
      probe: (host) => plugin.probe(host),
      plan: (policy, options, context) => plugin.plan(policy, options, context),
      recover: (receipt) => plugin.recover(receipt),
      ...(plugin.prepare !== undefined && {
        prepare: async (...workspace) => {
          this.reach(`${id} before prepare`)
          await plugin.prepare?.(...workspace)
          this.reach(`${id} after prepare`)
        },
      }),
      apply: async (plan, context) => {
        this.reach(`${id} before apply`)
        const applied = await plugin.apply(plan, {
          ...context,
          record: async (receipt) => {
            this.reach(`${id} before a receipt`)
            await context.record(receipt)
            this.reach(`${id} after a receipt`)
          },
        })
        this.reach(`${id} after apply`)
        return this.#layer(id, applied)
      },
    }
  }

  launcher(launcher: Launcher): Launcher {
    return {
      launch: async (spec, stdio) => {
        this.reach('before launch')
        const sandbox = await launcher.launch(spec, stdio)
        this.reach('held')
        return this.#sandbox(sandbox)
      },
      [Symbol.asyncDispose]: () => launcher[Symbol.asyncDispose](),
    }
  }

  journal(journal: Pick<Journal, 'record' | 'settle' | 'receipts' | 'orchestrators' | 'lock'>): typeof journal {
    return {
      record: (owner, receipt) => journal.record(owner, receipt),
      settle: (id) => {
        this.reach('before settling a receipt')
        journal.settle(id)
      },
      receipts: () => journal.receipts(),
      orchestrators: () => journal.orchestrators(),
      lock: (...args) => journal.lock(...args),
    }
  }

  #layer(id: string, layer: AppliedLayer): AppliedLayer {
    const { provided } = layer
    return {
      contribute: (spec) => layer.contribute(spec),
      verify: async (probe) => {
        this.reach(`${id} before verify`)
        return layer.verify(probe)
      },
      ...(provided !== undefined && { provided }),
      ...(layer.attach !== undefined && {
        attach: async (sandbox) => {
          this.reach(`${id} before attach`)
          await layer.attach?.(sandbox)
        },
      }),
      [Symbol.asyncDispose]: async () => {
        this.reach(`${id} before dispose`)
        await layer[Symbol.asyncDispose]()
        this.reach(`${id} after dispose`)
      },
    }
  }

  #sandbox(sandbox: Sandbox): Sandbox {
    const start = sandbox.start.bind(sandbox)
    return Object.assign(sandbox, {
      start: async () => {
        this.reach('before start')
        await start()
        this.reach('started')
      },
    })
  }
}
