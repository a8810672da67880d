import { canonicalPath } from './canonical.ts'
import type { Canonical } from './canonical.ts'
import { foldCase } from './compare.ts'
import { looksShort } from './name.ts'

/** `FileSecurity.finalPath`. */
export type FinalPath = (path: string) => string | undefined

/**
 * `canonicalPath`, and what only the disk can tell: names in the case they have there, long names for short ones. Refused when the path
 * leads through a link (a junction, a symbolic link, a substituted or network drive), and when a name that looks short leads nowhere, since
 * it may come to be another one’s.
 *
 * The end of the path may be missing, or be a link itself: `FileSecurity.read` tells. Throws what `finalPath` throws.
 */
export function resolvePath(text: string, finalPath: FinalPath): Canonical {
  const canonical = canonicalPath(text)
  if ('fault' in canonical) return canonical
  const [drive = '', ...names] = canonical.path.split('\\').filter((name) => name !== '')
  for (let existing = names.length; existing >= 0; existing--) {
    const asked = [drive, ...names.slice(0, existing)]
    const found = finalPath(existing === 0 ? `${drive}\\` : asked.join('\\'))
    if (found === undefined) continue
    const real = found.split('\\').filter((name) => name !== '')
    if (!leadsTo(asked, real)) return { fault: `leads through a link to ${found}` }
    const missing = names.slice(existing)
    if (missing.some(looksShort)) return { fault: 'has a short name that leads nowhere' }
    const whole = [...real, ...missing]
    return { path: whole.length === 1 ? `${drive}\\` : whole.join('\\') }
  }
  return { fault: 'is on a drive that does not exist' }
}

function leadsTo(asked: readonly string[], real: readonly string[]): boolean {
  return asked.length === real.length && asked.every((name, index) => foldCase(name) === foldCase(real[index] ?? '') || looksShort(name))
}
