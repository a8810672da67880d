import type { Receipt } from '../../core/contracts/index.ts'
import type { Disk } from './disk.ts'
import { add, isDenied, remove } from './edit.ts'
import { exclusively } from './exclusively.ts'
import { addToTree, removeFromTree } from './grant-tree.ts'
import { lower, restoreLabel } from './label.ts'
import type { LabelReceipt } from './label.ts'
import { readReceipt } from './receipts.ts'
import type { AclReceipt, ChangedObject } from './receipts.ts'

export interface EffectsParts {
  readonly plugin: string
  readonly disk: Disk
  readonly signal: AbortSignal
  /** `ApplyContext.record`. */
  record(receipt: Receipt): Promise<void>
}

/** Everything that one launch changes on the machine: recorded first, then done, and undone in reverse. */
export class Effects {
  readonly #parts: EffectsParts
  readonly #done: AclReceipt[] = []

  constructor(parts: EffectsParts) {
    this.#parts = parts
  }

  /** `optional`: what the user may not change stays as it is. */
  async addEntries(objects: readonly ChangedObject[], lock: string, { optional = false } = {}): Promise<void> {
    if (objects.length === 0) return
    const { disk, signal } = this.#parts
    await this.#record({ kind: 'entries', objects, lock })
    await exclusively(disk, lock, signal, () => {
      for (const { path, identity, added } of objects) {
        try {
          add(disk.security, path, identity, added)
        } catch (error) {
          if (!optional || !isDenied(error)) throw error
        }
      }
    })
  }

  async addTree(tree: Omit<Extract<AclReceipt, { kind: 'tree' }>, 'kind'>): Promise<void> {
    const { disk, signal } = this.#parts
    const receipt = { kind: 'tree', ...tree } as const
    await this.#record(receipt)
    await exclusively(disk, tree.lock, signal, () => addToTree(disk, receipt, signal))
  }

  async lowerLabel(label: Omit<LabelReceipt, 'kind'>): Promise<void> {
    const receipt = { kind: 'label', ...label } as const
    await this.#record(receipt)
    await lower(this.#parts.disk, receipt, this.#parts.signal)
  }

  async makePlaceholder(path: string, descriptor: string): Promise<void> {
    await this.#record({ kind: 'placeholder', path })
    this.#parts.disk.security.makeDirectory(path, descriptor)
  }

  async makePrivate(path: string, descriptor: string): Promise<void> {
    await this.#record({ kind: 'private', path })
    this.#parts.disk.security.makeDirectory(path, descriptor)
  }

  /** Tries everything; throws the first failure afterwards. What is done twice is undone once. */
  async undo(): Promise<void> {
    const failures: unknown[] = []
    for (const receipt of this.#done.splice(0).toReversed()) {
      try {
        await undoReceipt(this.#parts.disk, receipt)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  async #record(receipt: AclReceipt): Promise<void> {
    this.#parts.signal.throwIfAborted()
    await this.#parts.record({ plugin: this.#parts.plugin, data: receipt })
    this.#done.push(receipt)
  }
}

/** `LayerPlugin.recover`. */
export function undoData(disk: Disk, data: unknown): Promise<void> {
  return undoReceipt(disk, readReceipt(data))
}

async function undoReceipt(disk: Disk, receipt: AclReceipt): Promise<void> {
  switch (receipt.kind) {
    case 'entries':
      return exclusively(disk, receipt.lock, null, () => undoEntries(disk, receipt.objects))
    case 'tree':
      return exclusively(disk, receipt.lock, null, () => removeFromTree(disk, receipt))
    case 'label':
      return restoreLabel(disk, receipt)
    case 'placeholder':
      return removePlaceholder(disk, receipt.path)
    case 'private':
      return removePrivate(disk, receipt.path)
  }
}

function undoEntries(disk: Disk, objects: readonly ChangedObject[]): void {
  const failures: unknown[] = []
  for (const { path, identity, added, before } of objects.toReversed()) {
    try {
      remove(disk.security, path, identity, added, before)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

/** Only what still is what was made: an empty directory. */
function removePlaceholder(disk: Disk, path: string): void {
  const found = disk.security.read(path, 'access')
  if (found === undefined || !found.directory || found.link) return
  try {
    disk.removeEmpty(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
  }
}

/** The path comes from a journal: nothing is deleted that does not have the form of ours. */
function removePrivate(disk: Disk, path: string): void {
  if (!/\\Bulkhead\\private\\[0-9a-f]{32}$/.test(path)) throw new TypeError(`"${path}" is no private directory`)
  disk.security.deleteTree(path)
}
