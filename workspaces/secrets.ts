import type { RiskFlag } from '../core/contracts/workspace.ts'
import { deceptive } from '../core/contracts/deceptive-text.ts'

/** Formats that say by themselves what they are; guesses (“looks random”) would drown them. */
const secretPatterns: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b/],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,}/],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/],
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{20,}/],
  ['an OpenAI key', /\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}/],
  ['a Google key', /\bAIza[A-Za-z0-9_-]{35}\b/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['a Stripe key', /\b[rs]k_live_[A-Za-z0-9]{20,}/],
  ['a signed token (JWT)', /\beyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10}/],
  ['a password in a URL', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@'"<>{}$]{1,100}:[^\s/:@'"<>{}$]{6,200}@/],
]

/**
 * Flags added lines of a unified diff (`-U0`, no color) that hold secrets or characters that hide text. The value itself is never repeated.
 * One flag for each path and kind of finding.
 */
export function contentFlags(diff: string, paths: readonly string[]): readonly RiskFlag[] {
  const flags = new Map<string, RiskFlag>()
  let file = -1
  let line = 0
  let left = 0
  for (const text of diff.split('\n')) {
    if (left === 0 && text.startsWith('diff --git ')) file += 1
    const hunk = left === 0 ? /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text) : null
    if (hunk !== null) {
      line = Number(hunk[2])
      left = Number(hunk[1] ?? 1) + Number(hunk[3] ?? 1)
      continue
    }
    if (left === 0 || text.startsWith('\\')) continue
    left -= 1
    if (!text.startsWith('+')) continue
    const path = paths[file] ?? '?'
    for (const [name, pattern] of secretPatterns) {
      if (pattern.test(text)) keep(flags, { kind: 'secret', path, detail: `line ${line} looks like ${name}` }, name)
    }
    if (deceptive.test(text))
      keep(flags, { kind: 'hidden-text', path, detail: `line ${line} has characters that hide or reorder text` }, '')
    line += 1
  }
  return [...flags.values()]
}

function keep(flags: Map<string, RiskFlag>, flag: RiskFlag, what: string): void {
  const key = `${flag.kind}\0${flag.path}\0${what}`
  if (!flags.has(key)) flags.set(key, flag)
}
