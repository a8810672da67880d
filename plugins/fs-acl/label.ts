import { z } from 'zod'
import type { Disk } from './disk.ts'
import { exclusively } from './exclusively.ts'
import type { AclReceipt } from './receipts.ts'
import { walk } from './walk.ts'

export type LabelReceipt = Extract<AclReceipt, { kind: 'label' }>

/** Low integrity, passed on to what is made inside; and as what is inside has it from above. */
const low = 'S:(ML;OICI;NW;;;LW)'
const lowInherited = { directory: 'S:(ML;OICIID;NW;;;LW)', file: 'S:(ML;ID;NW;;;LW)' }
const none = 'S:'

const leaseShape = z.object({ before: z.string() })

/**
 * Lowers the label of a directory and of everything in it that has none of its own.
 *
 * An object has one label, and several launches may need it at the same time: the first one writes down what was there before, the last one
 * puts it back. Who needs it is kept in files, one for each launch, that outlive the processes: `<leases>\<identity>\<holder>`.
 */
export async function lower(disk: Disk, receipt: LabelReceipt, signal: AbortSignal): Promise<void> {
  const { path, identity, lock } = receipt
  await exclusively(disk, lock, signal, async () => {
    const [directory, before, holder] = filesOf(receipt)
    const found = disk.security.read(path, 'label')
    if (found?.identity !== identity) return
    disk.makeDirectory(directory)
    if (disk.readText(before) === undefined) disk.writeNew(before, JSON.stringify({ before: found.sddl }))
    disk.writeNew(holder, '')
    if (!isLow(found.sddl)) disk.security.write(path, identity, 'label', low)
    await walk(disk, path, signal, (inside) => {
      const one = disk.security.read(inside.path, 'label')
      if (one === undefined || one.link) return 'leave'
      if (!hasLabel(one.sddl))
        disk.security.write(inside.path, one.identity, 'label', lowInherited[inside.directory ? 'directory' : 'file'])
      return 'enter'
    })
  })
}

/** Puts back what was there before anybody needed it, when nobody does any more. Twice is as good as once. */
export async function restoreLabel(disk: Disk, receipt: LabelReceipt): Promise<void> {
  const { path, identity, lock } = receipt
  await exclusively(disk, lock, null, async () => {
    const [directory, beforeFile, holder] = filesOf(receipt)
    disk.removeFile(holder)
    const text = disk.readText(beforeFile)
    const others = (disk.entries(directory) ?? []).some(({ name }) => !beforeFile.endsWith(`\\${name}`))
    if (others) return
    if (text === undefined) return disk.removeEmpty(directory)
    const found = disk.security.read(path, 'label')
    if (found?.identity === identity) {
      const { before } = leaseShape.parse(JSON.parse(text))
      if (found.sddl !== before) disk.security.write(path, identity, 'label', before === '' ? none : before)
      await walk(disk, path, null, (inside) => {
        const one = disk.security.read(inside.path, 'label')
        if (one === undefined || one.link) return 'leave'
        if (isLow(one.sddl) && isInherited(one.sddl)) disk.security.write(inside.path, one.identity, 'label', none)
        return 'enter'
      })
    }
    // Last, and in this order: until here, another attempt finds everything that it needs.
    disk.removeFile(beforeFile)
    disk.removeEmpty(directory)
  })
}

function filesOf({ leases, identity, holder }: LabelReceipt): readonly [directory: string, before: string, holder: string] {
  for (const name of [identity, holder]) if (!/^[0-9a-f]{32,64}$/.test(name)) throw new TypeError(`"${name}" is no name of a lease`)
  const directory = `${leases}\\${identity}`
  return [directory, `${directory}\\before.json`, `${directory}\\${holder}`]
}

function hasLabel(sddl: string): boolean {
  return sddl.includes('(ML;')
}

function isLow(sddl: string): boolean {
  return /\(ML;[A-Z]*;[A-Z]*;;;(?:LW|S-1-16-4096)\)/.test(sddl)
}

function isInherited(sddl: string): boolean {
  return /\(ML;(?:[A-Z]{2})*ID/.test(sddl)
}
