import { nameFault } from './name.ts'

export type Canonical =
  /** `C:\one\two`: a capital drive letter, single backslashes, no `.` and `..`, none at the end but for a drive itself (`C:\`). */
  | { readonly path: string }
  /** What is wrong with it, to follow the path in a sentence. */
  | { readonly fault: string }

/**
 * The one spelling of a path on a local drive, decided by its text alone. Whatever could mean different things to different programs, or
 * depends on anything but the text, is refused.
 *
 * Win32 normalises `C:\a` and `C:/a`: either slash, repeated ones, `.` and `..`, the latter before any link is looked at (“File path formats
 * on Windows systems”). So is it done here. `\\.\C:\a` and `//?/C:/a` are normalised too, but there `..` may climb over the drive; and
 * `\\?\C:\a` and `\??\C:\a` go to the object manager as they are, which knows no dots. In those forms dots are refused.
 *
 * The case of names is kept: compare with `samePath` and `isInside`. Short names are kept too: see `resolvePath`.
 */
export function canonicalPath(text: string): Canonical {
  const verbatim = /^\\(?:\\\?|\?\?)\\(.*)$/s.exec(text)?.[1]
  const device = verbatim === undefined ? /^[\\/]{2}[.?][\\/](.*)$/s.exec(text)?.[1] : undefined
  const inside = verbatim ?? device
  const onDrive = verbatim === undefined ? /^([A-Za-z]):[\\/](.*)$/s : /^([A-Za-z]):\\(.*)$/s
  const [, letter, rest] = onDrive.exec(inside ?? text) ?? []
  if (letter === undefined || rest === undefined) return { fault: inside === undefined ? relativeFault(text) : namespaceFault(inside) }
  if (text.length > longestPath) return { fault: 'is too long' }
  const names = rest.split(verbatim === undefined ? /[\\/]/ : '\\')
  const found = inside === undefined ? withoutDots(names) : names.filter((name) => name !== '')
  const fault = found.map((name) => (/^\.+$/.test(name) ? 'has a name of dots only' : nameFault(name))).find((one) => one !== undefined)
  return fault === undefined ? { path: `${letter.toUpperCase()}:\\${found.join('\\')}` } : { fault }
}

/** UTF-16 units: below the limit of 32,767, with room for names below. */
const longestPath = 32_000

/** Above a drive there is only the drive. */
function withoutDots(names: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..') kept.pop()
    else if (name !== '' && name !== '.') kept.push(name)
  }
  return kept
}

/** Behind `\\?\`, `\??\` and `\\.\`. */
function namespaceFault(text: string): string {
  if (/^UNC[\\/]/i.test(text)) return 'names another computer'
  return /^[A-Za-z]:$/.test(text) ? 'names a whole volume as a device' : 'names an object that is no file on a drive'
}

function relativeFault(text: string): string {
  if (text === '') return 'is empty'
  if (/^[\\/]{2}/.test(text)) return 'names another computer'
  if (/^[\\/](?:Device|DosDevices|GLOBAL\?\?|SystemRoot|BaseNamedObjects)(?:[\\/]|$)/i.test(text)) return 'names an object of the kernel'
  if (/^[\\/]/.test(text)) return 'is relative to the current drive'
  return /^[A-Za-z]:/.test(text) ? 'is relative to the current directory of a drive' : 'is not absolute'
}
