/** GENERIC_READ and GENERIC_EXECUTE as files have them (FILE_GENERIC_READ | FILE_GENERIC_EXECUTE), as Windows prints it. */
const readAndExecute = 0x1200a9

const entryPattern = /\(([^()]*)\)/g

/** The entry that lets local users read and execute: what agent accounts need of Bulkhead's own programs. */
function entry(directory: boolean): string {
  return `(A;${directory ? 'OICI' : ''};0x1200a9;;;BU)`
}

/** Whether local users, Authenticated Users or everybody may read and execute, by an entry of this access list (SDDL, `D:...`). */
export function letsUsersRead(sddl: string): boolean {
  return [...sddl.matchAll(entryPattern)].some(([, text = '']) => {
    const [type, flags = '', rights = '', , , who = ''] = text.split(';')
    return type === 'A' && !flags.includes('IO') && ['BU', 'AU', 'WD'].includes(who) && covers(rights)
  })
}

/** Rights as Windows prints them: a number, or two-letter names one after the other. */
function covers(rights: string): boolean {
  if (rights.startsWith('0x')) return (Number(rights) & readAndExecute) === readAndExecute
  const names: readonly string[] = rights.match(/../g) ?? []
  return (
    names.includes('FA') ||
    names.includes('GA') ||
    (names.includes('FR') && names.includes('FX')) ||
    (names.includes('GR') && names.includes('GX'))
  )
}

/** The list with our entry: behind all explicit ones, before the inherited ones, as lists are ordered (“Order of ACEs in a DACL”). */
export function withReadGrant(sddl: string, directory: boolean): string {
  const inherited = [...sddl.matchAll(entryPattern)].find(([, text = '']) => (text.split(';')[1] ?? '').includes('ID'))
  const at = inherited?.index ?? sddl.length
  return sddl.slice(0, at) + entry(directory) + sddl.slice(at)
}

export function withoutReadGrant(sddl: string, directory: boolean): string {
  return sddl.replace(entry(directory), '')
}
