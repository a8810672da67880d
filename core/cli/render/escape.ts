import { unprintable as hostile } from '../../contracts/deceptive-text.ts'

/**
 * Makes text that an agent may have written safe to show: it can change nothing but the cells it is printed in. Controls become caret
 * notation (`^[`), invisible characters their number (`<U+202E>`). Newlines and tabs stay.
 */
export function escapeText(text: string): string {
  return text.replaceAll(hostile, (character) => (character === '\n' || character === '\t' ? character : visible(character)))
}

/** The same on one line, cut to `limit` characters. */
export function escapeLine(text: string, limit = 1000): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  return cut.replaceAll(hostile, visible)
}

/** JSON on one line in which no string holds a raw control or invisible character (JSON itself lets C1 controls and more through). */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(hostile, (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`
  return code === 0x7f ? '^?' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}
