/**
 * Folds the case of a path as the filesystem does: each UTF-16 unit by itself, in no language. NTFS has its own table for this on every
 * volume ($UpCase); Unicode’s simple mappings in both directions take everything for equal that it does, and a few letters more
 * (a dotless i, the Kelvin sign). Of two names that are only nearly the same that errs on the closed side.
 */
export function foldCase(path: string): string {
  // Most paths, and the whole work there.
  // oxlint-disable-next-line no-control-regex -- ASCII
  if (/^[\u0000-\u007f]*$/.test(path)) return path.toLowerCase()
  return Array.from({ length: path.length }, (_, index) => foldUnit(path.charAt(index))).join('')
}

/** A mapping to more than one unit is none of the filesystem’s. */
function foldUnit(unit: string): string {
  const upper = unit.toUpperCase()
  const lower = (upper.length === 1 ? upper : unit).toLowerCase()
  return lower.length === 1 ? lower : unit
}

/** Of canonical paths. */
export function samePath(one: string, other: string): boolean {
  return foldCase(one) === foldCase(other)
}

/** True for the directory itself too. Of canonical paths, component by component: `C:\ab` is not inside `C:\a`. */
export function isInside(path: string, directory: string): boolean {
  const [inner, outer] = [foldCase(path), foldCase(directory)]
  return inner === outer || inner.startsWith(outer.endsWith('\\') ? outer : `${outer}\\`)
}
