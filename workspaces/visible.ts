/* oxlint-disable no-control-regex, no-misleading-character-class -- such characters are what this file looks for */
/** Characters that move, hide or reorder text: C0 and C1 controls, DEL, bidirectional controls, zero-width and other invisible format characters. */
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu

/** The invisible characters that reorder or hide source text (“Trojan Source”, CVE-2021-42574), without ordinary control characters. */
export const deceptive = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0020}-\u{e007f}]/u

/**
 * Makes text that an agent may have chosen safe for a terminal: tab and newline stay, every other control or invisible character becomes
 * `^[` (caret notation) or `<U+202E>`.
 */
export function visible(text: string): string {
  return text.replace(invisible, (character) => {
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
