import { BulkheadError } from '../contracts/error.ts'
import type { Availability, Host, LayerPlugin } from '../contracts/layer.ts'
import type { PluginDriver } from './driver.ts'

/** Asks plugins once per process what they can do here. */
export class Prober {
  readonly #driver: PluginDriver
  readonly #host: Host
  readonly #known = new Map<string, Promise<Availability>>()

  constructor(driver: PluginDriver, host: Host) {
    this.#driver = driver
    this.#host = host
  }

  /**
   * A probe that fails makes the layer unusable. Such a failure is not remembered, so the next call tries again. Throws only what is not the
   * layer's fault: `native_not_built`, `native_abi_mismatch`, `native_failed`.
   */
  async ask(plugin: LayerPlugin): Promise<Availability> {
    const known = this.#known.get(plugin.id) ?? this.#driver.probe(plugin, this.#host)
    this.#known.set(plugin.id, known)
    try {
      return await known
    } catch (error) {
      if (this.#known.get(plugin.id) === known) this.#known.delete(plugin.id)
      if (BulkheadError.is(error) && error.code.startsWith('native_')) throw error
      return unusable(error)
    }
  }
}

export function unusable(error: unknown): Availability {
  const { message, remedy } = BulkheadError.from(error)
  return { usable: false, reason: message, remedy }
}
