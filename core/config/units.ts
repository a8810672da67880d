const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** Decimal as disks are sold, binary as memory is counted. */
const sizeUnits = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const

/** Ten years: what is longer is a mistake, and timers could not hold it. */
const longestMs = 3650 * durationUnits.d

/** Milliseconds of `500ms`, `30s`, `30m`, `2h`, `1d` or a sum of them (`1h30m`), largest unit first; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:ms|[smhd]))+$/.test(text)) return undefined
  let total = 0
  let previous = Number.POSITIVE_INFINITY
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) {
    const factor = durationUnits[unit as keyof typeof durationUnits]
    if (factor >= previous) return undefined
    previous = factor
    total += Number(digits) * factor
  }
  return total > 0 && total <= longestMs ? total : undefined
}

/** Bytes of `512MB`, `1GiB`, `4096B`; undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9})(B|[KMGT]i?B)$/.exec(text)
  if (match === null) return undefined
  const bytes = Number(match[1]) * sizeUnits[match[2] as keyof typeof sizeUnits]
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest text that `parseDuration` reads as `ms`. */
export function formatDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const [unit, factor] of Object.entries(durationUnits).toReversed()) {
    const count = Math.floor(rest / factor)
    if (count > 0) text += `${count}${unit}`
    rest -= count * factor
  }
  return text === '' ? '0s' : text
}

/** The shortest exact text that `parseSize` reads as `bytes`. */
export function formatSize(bytes: number): string {
  const whole = Object.entries(sizeUnits).filter(([, factor]) => bytes % factor === 0)
  const [unit, factor] = whole.toSorted(([, left], [, right]) => right - left)[0] ?? ['B', 1]
  return `${bytes / factor}${unit}`
}
