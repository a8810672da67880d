import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../config/units.ts'

/** Collects a repeatable option. */
export function listOption(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

export function numberOption(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^-?\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`)
  }
}

/** Milliseconds. */
export function durationOption(value: string): number {
  const ms = parseDuration(value)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('It must be a duration like 30s, 30m, 2h or 1h30m.')
}
