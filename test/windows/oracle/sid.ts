/** `S-1-…` with decimal numbers, in upper case. */
export type Sid = string

/** Two-letter names of SDDL ("SID Strings") that need no domain. */
const names: Readonly<Record<string, Sid>> = {
  WD: 'S-1-1-0',
  CO: 'S-1-3-0',
  CG: 'S-1-3-1',
  OW: 'S-1-3-4',
  NU: 'S-1-5-2',
  IU: 'S-1-5-4',
  SU: 'S-1-5-6',
  AN: 'S-1-5-7',
  PS: 'S-1-5-10',
  AU: 'S-1-5-11',
  RC: 'S-1-5-12',
  SY: 'S-1-5-18',
  LS: 'S-1-5-19',
  NS: 'S-1-5-20',
  WR: 'S-1-5-33',
  BA: 'S-1-5-32-544',
  BU: 'S-1-5-32-545',
  BG: 'S-1-5-32-546',
  PU: 'S-1-5-32-547',
  AC: 'S-1-15-2-1',
  LW: 'S-1-16-4096',
  ME: 'S-1-16-8192',
  MP: 'S-1-16-8448',
  HI: 'S-1-16-12288',
  SI: 'S-1-16-16384',
}

/** Throws on anything that is no SID: an oracle that guesses is none. */
export function parseSid(text: string): Sid {
  const named = names[text]
  if (named !== undefined) return named
  if (!/^S-1-\d{1,15}(?:-\d{1,10}){1,15}$/i.test(text)) throw new Error(`not a SID: ${text}`)
  const parts = text.split('-').slice(3)
  if (parts.some((part) => Number(part) > 0xffffffff)) throw new Error(`not a SID: ${text}`)
  return text.toUpperCase()
}

export const ownerRights = parseSid('OW')
export const creatorOwner = parseSid('CO')
export const creatorGroup = parseSid('CG')
