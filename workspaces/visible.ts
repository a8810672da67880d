import { unprintable } from '../core/contracts/deceptive-text.ts'

/**
 * Makes text that an agent may have chosen safe for a terminal: tab and newline stay, every other control or invisible character becomes
 * `^[` (caret notation) or `<U+202E>`.
 */
export function visible(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    if (character === '\n' || character === '\t') return character
    const code = character.codePointAt(0) ?? 0
    if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`
    if (code === 0x7f) return '^?'
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
  })
}

/** The same on one line, at most `limit` characters. */
export function visibleLine(text: string, limit = 300): string {
  const line = visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  return line.length > limit ? `${line.slice(0, limit)}…` : line
}
