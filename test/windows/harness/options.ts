import { parseArgs } from 'node:util'
import { type GroupName, groups } from './groups.ts'

export interface Options {
  /** Empty: all of them. */
  readonly groups: readonly GroupName[]
  /** Part of a case file's path below its group; empty: every file. */
  readonly file: string
  /** Keep the staged product, the prefix and all output, and say where they are. */
  readonly keep: boolean
  /** Seconds that one file may take. */
  readonly patience: number
  /** Prefixes that run at the same time. */
  readonly workers: number
}

/** Throws an `Error` for the terminal. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      group: { type: 'string', multiple: true, default: [] },
      file: { type: 'string', default: '' },
      keep: { type: 'boolean', default: false },
      patience: { type: 'string', default: '400' },
      workers: { type: 'string', default: '2' },
    },
  })
  const names = values.group.filter((name): name is GroupName => Object.hasOwn(groups, name))
  const unknown = values.group.filter((name) => !Object.hasOwn(groups, name))
  if (unknown.length > 0) throw new Error(`there is no group ${unknown.join(', ')}; there are ${Object.keys(groups).join(', ')}`)
  const [patience, workers] = (['patience', 'workers'] as const).map((name) => {
    const number = Number(values[name])
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} needs a number from 1 up`)
    return number
  }) as [number, number]
  return { groups: names, file: values.file, keep: values.keep, patience, workers }
}
