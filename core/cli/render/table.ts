import { escapeLine } from './escape.ts'

/** Columns padded to their widest cell, two spaces apart; the last one is not padded. Cells are escaped here. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => escapeLine(cell, 200)))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))))
  return cells.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

function pad(cell: string, to: number): string {
  return cell + ' '.repeat(Math.max(0, to - width(cell)))
}

/** Terminal cells: wide East Asian characters and emoji take two, combining marks none. Close enough for alignment. */
export function width(text: string): number {
  let cells = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (/\p{Mark}/u.test(character)) continue
    const wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3)
    cells += wide || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xff60) || code >= 0x1f300 ? 2 : 1
  }
  return cells
}

/** At most `cells` terminal cells of an escaped line. */
export function fit(text: string, cells: number): string {
  if (width(text) <= cells) return text
  let result = ''
  for (const character of text) {
    if (width(result) + width(character) >= cells) break
    result += character
  }
  return `${result}…`
}
