import { performance } from 'node:perf_hooks'

/** Something whose time is to be compared with others'. Resolves when the thing is done. */
export interface Contender {
  readonly name: string
  run(): Promise<void>
}

export interface Timing {
  readonly name: string
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Times all contenders in turns (A B C A B C ...), so that a machine whose speed drifts is as unfair to one as to the other. */
export async function compare(contenders: readonly Contender[], rounds: number): Promise<Timing[]> {
  const samples = contenders.map((): number[] => [])
  for (let round = -2; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const begin = performance.now()
      await contender.run()
      // The first two rounds only warm up.
      if (round >= 0) samples[index]?.push(performance.now() - begin)
    }
  }
  return contenders.map(({ name }, index) => ({ name, ...percentiles(samples[index] ?? []) }))
}

function percentiles(samples: readonly number[]): { p50: number; p99: number } {
  const sorted = samples.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

/** Milliseconds. */
export function median(samples: readonly number[]): number {
  return percentiles(samples).p50
}

/** A table with ratios to the contender named `base`. */
export function printTable(title: string, timings: readonly Timing[], base: string): void {
  const reference = timings.find(({ name }) => name === base)?.p50 ?? Number.NaN
  const width = Math.max(...timings.map(({ name }) => name.length))
  console.log(`\n${title}`)
  console.log(`${''.padEnd(width)}  ${'p50 ms'.padStart(9)} ${'p99 ms'.padStart(9)} ${`x ${base}`.padStart(12 + base.length)}`)
  for (const { name, p50, p99 } of timings) {
    const ratio = (p50 / reference).toFixed(2).padStart(12 + base.length)
    console.log(`${name.padEnd(width)}  ${p50.toFixed(2).padStart(9)} ${p99.toFixed(2).padStart(9)} ${ratio}`)
  }
}
