/**
 * What is wrong with one name of a path; undefined when nothing is. Names that two programs could take for different things are refused,
 * never repaired: Win32 cuts off dots and spaces at the end of a name, and finds devices and streams where the filesystem sees a name
 * (“Naming Files, Paths, and Namespaces”).
 */
export function nameFault(name: string): string | undefined {
  if (isDevice(name)) return `has the name of a device, ${printed(name)}`
  if (name.includes(':')) return `names a stream of a file, ${printed(name)}`
  // oxlint-disable-next-line no-control-regex -- no name can have them
  if (/[\u0000-\u001f<>"|?*/\\\p{Surrogate}]/u.test(name)) return `has a character that no name can have, in ${printed(name)}`
  if (/[. ]$/.test(name)) return `has a name that ends with a dot or a space, ${printed(name)}`
  return name.length > longestName ? 'has a name that is too long' : undefined
}

/** UTF-16 units (NTFS). */
const longestName = 255

/**
 * A device in every directory, also with an extension or a stream behind it, and with spaces before those. Newer Windows takes fewer of
 * them for devices; what older ones and other programs do counts too. The superscript digits are ISO 8859-1.
 */
function isDevice(name: string): boolean {
  const base = name.split(/[.:]/, 1)[0]?.trimEnd().toUpperCase() ?? ''
  return /^(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|COM[0-9\u00b9\u00b2\u00b3]|LPT[0-9\u00b9\u00b2\u00b3])$/.test(base)
}

/**
 * True for `PROGRA~1` and `SETTIN~1.JSO`: the filesystem makes such a name for a file with a longer one, so that it may be another file’s.
 * A file can also really be called so; only a look at the disk can tell.
 */
export function looksShort(name: string): boolean {
  const [base = '', extension = '', ...more] = name.split('.')
  return more.length === 0 && base.length <= 8 && extension.length <= 3 && /^[^ ~]{1,7}~[0-9]{1,6}$/.test(base)
}

function printed(name: string): string {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name
  return JSON.stringify(shown)
}
