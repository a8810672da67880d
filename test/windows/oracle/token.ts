import { parseSid, type Sid } from './sid.ts'

export interface Group {
  readonly sid: Sid
  /** A deny-only group matches entries that deny; a disabled one matches nothing. */
  readonly state: 'enabled' | 'deny-only' | 'disabled'
}

export interface Token {
  readonly user: Sid
  readonly userDenyOnly: boolean
  readonly groups: readonly Group[]
  /** With at least one, every access is checked a second time against these alone. */
  readonly restricting: readonly Sid[]
  /** The second check is made for writing only. */
  readonly writeRestricted: boolean
  /** RID of the mandatory label. */
  readonly integrity: number
  /** Enabled privileges by number (`SE_*` of wdm.h). */
  readonly privileges: readonly number[]
}

export const integrity = { untrusted: 0, low: 4096, medium: 8192, high: 12288, system: 16384 } as const
export const privilege = { security: 8, takeOwnership: 9, backup: 17, restore: 18, debug: 20, relabel: 32 } as const

/** A token as a case writes it. `!` before a group: deny-only; `~`: disabled. */
export interface TokenText {
  readonly user: string
  readonly groups?: readonly string[]
  readonly restricting?: readonly string[]
  readonly writeRestricted?: boolean
  readonly integrity?: number
  readonly privileges?: readonly number[]
}

const states = { '!': 'deny-only', '~': 'disabled' } as const

function parseGroup(text: string): Group {
  const mark = text.slice(0, 1)
  if (mark === '!' || mark === '~') return { sid: parseSid(text.slice(1)), state: states[mark] }
  return { sid: parseSid(text), state: 'enabled' }
}

export function parseToken(text: TokenText): Token {
  return {
    user: parseSid(text.user.replace(/^!/, '')),
    userDenyOnly: text.user.startsWith('!'),
    groups: (text.groups ?? []).map(parseGroup),
    restricting: (text.restricting ?? []).map(parseSid),
    writeRestricted: text.writeRestricted ?? false,
    integrity: text.integrity ?? integrity.medium,
    privileges: text.privileges ?? [],
  }
}
