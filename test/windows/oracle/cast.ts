/** Who appears in the cases. */
import { integrity, type TokenText } from './token.ts'

export const alice = 'S-1-5-21-1-1-1-1000'
export const bob = 'S-1-5-21-1-1-1-1001'
export const agents = 'S-1-5-21-1-1-1-1010'
/** The SID of a workspace, and that of one launch in it. */
export const workspace = 'S-1-5-21-7-7-7-7'
export const launch = 'S-1-5-21-8-8-8-8'
/** Another agent's. */
export const otherWorkspace = 'S-1-5-21-9-9-9-9'

const usual = ['WD', 'BU', 'IU', 'AU', 'S-1-5-5-0-99']

export const ordinary: TokenText = { user: alice, groups: usual }
export const administrator: TokenText = { user: alice, groups: [...usual, 'BA'], integrity: integrity.high }
export const denyOnlyAdministrator: TokenText = { user: alice, groups: [...usual, '!BA'] }
/** Reads and writes are checked twice. */
export const blind: TokenText = { ...denyOnlyAdministrator, restricting: [workspace, launch, 'BU', 'RC'] }
export const lowBlind: TokenText = { ...blind, integrity: integrity.low }
/** Only writes are. */
export const writeRestricted: TokenText = { ...denyOnlyAdministrator, restricting: [workspace, launch], writeRestricted: true }
/** An agent under an account of its own. */
export const account: TokenText = { user: bob, groups: [...usual, agents], restricting: [workspace, launch, 'BU', 'RC'] }

export const low = (token: TokenText): TokenText => ({ ...token, integrity: integrity.low })
