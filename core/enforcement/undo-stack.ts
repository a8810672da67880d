/**
 * What AsyncDisposableStack does, for Node 20 which lacks it: steps run last in, first out, and one that fails does not keep the others
 * from running.
 */
export class UndoStack {
  readonly #steps: (() => Promise<void>)[] = []

  push(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /** Runs every step once; returns what they threw, in the order in which it happened. Never rejects. */
  async unwind(): Promise<readonly unknown[]> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    return failures
  }
}
