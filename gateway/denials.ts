import type { Denial } from '../core/contracts/index.ts'
import type { Refusal } from './reasons.ts'

const burst = 50
const perSecond = 10
/** getaddrinfo(3) asks for A and AAAA at once: one act, one event. */
const sameActMs = 100
const rememberedActs = 64

/** Turns refusals into denial events, at most `perSecond` in the long run; what comes faster is counted in `lost` of the next one. */
export class Denials {
  readonly #plugin: string
  readonly #report: (denial: Denial) => void
  readonly #now: () => number
  readonly #recent = new Map<string, number>()
  #tokens = burst
  #filledAt: number
  #lost = 0

  constructor(plugin: string, report: (denial: Denial) => void, now: () => number = () => performance.now()) {
    this.#plugin = plugin
    this.#report = report
    this.#now = now
    this.#filledAt = now()
  }

  refused(refusal: Refusal): void {
    const now = this.#now()
    if (this.#isRepetition(`${refusal.reason} ${refusal.object}`, now)) return
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond)
    this.#filledAt = now
    if (this.#tokens < 1) {
      this.#lost++
      return
    }
    this.#tokens--
    this.#emit(refusal)
  }

  /** Reports what was counted and not yet said. */
  flush(): void {
    if (this.#lost > 0) this.#emit({ reason: 'events_lost', object: `${this.#lost} more refusals`, remedy: null })
  }

  #emit({ reason, object, remedy }: Refusal): void {
    const lost = this.#lost
    this.#lost = 0
    // A name has at most 255 bytes; anything longer is only there to fill the journal.
    const shown = object.length > 300 ? `${object.slice(0, 300)}…` : object
    this.#report({ layer: 'network', plugin: this.#plugin, reason, object: shown, action: 'deny', program: null, remedy, lost })
  }

  #isRepetition(act: string, now: number): boolean {
    const last = this.#recent.get(act)
    this.#recent.delete(act)
    this.#recent.set(act, now)
    const oldest = this.#recent.keys().next()
    if (this.#recent.size > rememberedActs && oldest.done !== true) this.#recent.delete(oldest.value)
    return last !== undefined && now - last < sameActMs
  }
}
