import type { Attested } from '../contracts/enforcement.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { Denial } from '../contracts/denial.ts'
import type { Journal, ReceiptOwner } from '../contracts/journal.ts'
import type { AppliedLayer, ApplyContext, Evidence, LayerPlan, LayerPlugin, Probe, Receipt } from '../contracts/layer.ts'
import type { LaunchSpec } from '../contracts/launch.ts'
import type { Sandbox } from '../contracts/sandbox.ts'
import type { PluginDriver } from './driver.ts'
import { attested, nothingHeld, requireHeld } from './evidence.ts'
import { addPart } from './launch-spec.ts'
import { plainJson } from './plain-json.ts'
import { receiptShape } from './shapes.ts'

export interface SessionParts {
  readonly driver: PluginDriver
  readonly journal: Pick<Journal, 'record' | 'settle'>
  readonly owner: ReceiptOwner
}

/** What a session needs of the context it makes for its plugin. */
export type SessionContext = Omit<ApplyContext, 'record' | 'report' | 'signal'> & {
  readonly signal: AbortSignal
  readonly report: (denial: Denial) => void
}

/** What layers published for those after them, by capability name. */
export type ProvidedValues = ApplyContext['provided']

/** One layer in one launch, from its first receipt to the last one settled. */
export class LayerSession {
  readonly plugin: LayerPlugin
  readonly plan: LayerPlan
  readonly #parts: SessionParts
  readonly #receipts: { readonly id: number; readonly receipt: Receipt }[] = []
  #applied: AppliedLayer | undefined
  #stop = new AbortController()
  #closed = false
  #hung = false

  constructor(plugin: LayerPlugin, plan: LayerPlan, parts: SessionParts) {
    this.plugin = plugin
    this.plan = plan
    this.#parts = parts
  }

  /** Returns what the layer publishes for those that are applied after it. */
  async apply(context: SessionContext): Promise<ProvidedValues> {
    const { plugin, plan } = this
    const stop = (): void => this.#stop.abort(context.signal.reason)
    context.signal.addEventListener('abort', stop, { once: true })
    if (context.signal.aborted) stop()
    try {
      this.#applied = await this.#parts.driver.apply(
        plugin,
        plan,
        {
          ...context,
          signal: this.#stop.signal,
          record: async (receipt) => this.#record(receipt),
          report: (denial) => context.report({ ...denial, plugin: plugin.id, layer: plugin.layer }),
        },
        (late) => void this.#parts.driver.dispose(plugin, late).catch(() => undefined),
      )
      return publishedBy(plugin, this.#applied, context.provided)
    } catch (error) {
      this.#hung = this.#parts.driver.isHung(error)
      throw error
    } finally {
      context.signal.removeEventListener('abort', stop)
    }
  }

  contribute(spec: LaunchSpec): LaunchSpec {
    const { plugin } = this
    return addPart(spec, plugin, (frozen) => this.#parts.driver.contribute(plugin, this.#layer(), frozen))
  }

  attach(sandbox: Sandbox): Promise<void> {
    return this.#parts.driver.attach(this.plugin, this.#layer(), sandbox)
  }

  /** Throws `layer_unverified` when a claim of the plan was not attacked or did not hold. */
  async verify(probe: Probe): Promise<readonly Evidence[]> {
    const evidence = await this.#parts.driver.verify(this.plugin, this.#layer(), probe)
    requireHeld(this.plan, evidence)
    return evidence
  }

  /** The same attacks, to find out: one entry for each claim of the plan, whatever came of it. Never rejects. */
  async attest(probe: Probe): Promise<readonly Attested[]> {
    try {
      return attested(this.plan, await this.#parts.driver.verify(this.plugin, this.#layer(), probe))
    } catch (error) {
      return nothingHeld(this.plan, error)
    }
  }

  /**
   * Undoes whatever `apply` did, however far it came. A layer that cannot be disposed (or never came to be) is undone from its receipts;
   * `recover` is idempotent. Receipts are settled only when the undoing is certain: with `settle` false, or after a hook that hangs and may
   * still be at work, they stay for the next start. Throws after everything was tried.
   */
  async undo(settle: boolean): Promise<void> {
    this.#closed = true
    // An apply that hangs is told to stop; a layer that is in place learns of its end by being disposed.
    if (this.#applied === undefined) this.#stop.abort(new Error('the launch was given up'))
    const failures: unknown[] = []
    const disposed = await this.#dispose(failures)
    for (const { id, receipt } of this.#receipts.splice(0).toReversed()) {
      try {
        if (!disposed) await this.#parts.driver.recover(this.plugin, receipt)
        if (settle && !this.#hung) this.#parts.journal.settle(id)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw summary(failures)
  }

  async #dispose(failures: unknown[]): Promise<boolean> {
    const layer = this.#applied
    this.#applied = undefined
    if (layer === undefined) return false
    try {
      await this.#parts.driver.dispose(this.plugin, layer)
      return true
    } catch (error) {
      this.#hung ||= this.#parts.driver.isHung(error)
      failures.push(error)
      return false
    }
  }

  /** Stores the receipt before this returns; refuses once undoing has begun, so that a late `apply` cannot start another effect. */
  #record(receipt: Receipt): void {
    if (this.#closed || this.#stop.signal.aborted) throw new Error('no receipt is taken any more: the launch was given up')
    const { plugin } = receiptShape.parse(receipt)
    if (plugin !== this.plugin.id) throw new Error(`the receipt is in the name of "${plugin}"`)
    const stored: Receipt = { plugin, data: plainJson(receipt.data ?? null, 'receipt.data') }
    this.#receipts.push({ id: this.#parts.journal.record(this.#parts.owner, stored), receipt: stored })
  }

  #layer(): AppliedLayer {
    if (this.#applied === undefined) throw new BulkheadError('internal', `layer ${this.plugin.id} was used before it was applied`)
    return this.#applied
  }
}

/**
 * A layer may publish nothing under a name that it did not say it provides, nor one that a layer before it published: whoever relies on the
 * value relies on who gave it.
 */
function publishedBy(plugin: LayerPlugin, { provided = {} }: AppliedLayer, earlier: ProvidedValues): ProvidedValues {
  const names = Object.keys(provided)
  const foreign = names.filter((name) => !plugin.provides.includes(name))
  const taken = names.filter((name) => Object.hasOwn(earlier, name))
  if (foreign.length + taken.length === 0) return { ...provided }
  const what = foreign.length > 0 ? 'what it does not provide' : 'what an earlier layer published already'
  const list = (foreign.length > 0 ? foreign : taken).join(', ')
  throw new BulkheadError('plugin_failed', `plugin "${plugin.id}", apply: it published values for ${what}: ${list}`, {
    plugin: plugin.id,
    operation: 'apply',
  })
}

/** One error for several; the first gives code and details. */
export function summary(failures: readonly unknown[]): BulkheadError {
  const errors = failures.map((failure) => BulkheadError.from(failure))
  const [first] = errors
  if (first === undefined || errors.length === 1) return first ?? new BulkheadError('internal', 'no failure to report')
  return new BulkheadError(first.code, errors.map(({ message }) => message).join('; '), {
    ...first.details,
    cause: new AggregateError(failures),
  })
}
