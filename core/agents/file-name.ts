/**
 * What is wrong with the relative name of a file that an adapter wants in its scratch directory; undefined when nothing is. Names are kept
 * to letters that no file system reads in a special way, so that one rule holds everywhere.
 */
export function fileNameFault(name: string): string | undefined {
  const parts = name.split('/')
  if (name.length > 200) return 'is longer than 200 characters'
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'is not a plain relative path'
  if (!parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part))) return 'has characters other than letters, digits, ".", "_" and "-"'
  return undefined
}
