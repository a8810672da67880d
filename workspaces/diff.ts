import type { Git, Place } from './git.ts'
import { checkHash } from './names.ts'
import { visible } from './visible.ts'

/** A longer diff is cut, and says so. */
const shownBytes = 16 * 1024 * 1024

const colors = { bold: '\u001b[1m', red: '\u001b[31m', green: '\u001b[32m', cyan: '\u001b[36m', end: '\u001b[0m' } as const

/**
 * The difference between two commits as text for a person: no external driver, no attribute of the change applies (`-diff` hides nothing),
 * and control, bidirectional and invisible characters are shown and not obeyed. The only escape sequences are our own colors.
 */
export async function diffText(
  git: Git,
  place: Place,
  range: { readonly commit: string; readonly base: string },
  options: { readonly color: boolean; readonly stat: boolean },
): Promise<string> {
  const format = options.stat ? ['--stat=120', '--summary'] : ['-p', '--src-prefix=a/', '--dst-prefix=b/']
  const args = [
    'diff-tree',
    '-r',
    '-M',
    '-l2000',
    '--full-index',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '--ignore-submodules=all',
    ...format,
  ]
  const config = { 'core.bigFileThreshold': '16m' }
  const { stdout, cut } = await git.run({ ...place, config }, [...args, checkHash(range.base), checkHash(range.commit)], {
    maximumBytes: shownBytes,
    truncate: true,
  })
  const text = visible(stdout.toString('utf8'))
  const note = cut ? `\n… the diff is longer than ${shownBytes / 1024 ** 2} MiB; the rest is not shown\n` : ''
  return (options.color && !options.stat ? colored(text) : text) + note
}

function colored(text: string): string {
  let left = 0
  return text
    .split('\n')
    .map((line) => {
      if (left > 0) {
        if (line.startsWith('\\')) return line
        left -= line.startsWith(' ') ? 2 : 1
        if (line.startsWith('+')) return `${colors.green}${line}${colors.end}`
        return line.startsWith('-') ? `${colors.red}${line}${colors.end}` : line
      }
      const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
      if (hunk === null) return line === '' ? line : `${colors.bold}${line}${colors.end}`
      left = Number(hunk[1] ?? 1) + Number(hunk[2] ?? 1)
      return `${colors.cyan}${line}${colors.end}`
    })
    .join('\n')
}
