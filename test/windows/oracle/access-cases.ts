/**
 * Expectations of the documented access check, each with the sentence it comes from. They are written by hand, not computed: both the oracle
 * and the double are held against them, and then against each other.
 */
import type { MappingName } from './access-check.ts'
import {
  account,
  administrator,
  agents,
  alice,
  blind,
  bob,
  denyOnlyAdministrator,
  launch,
  low,
  lowBlind,
  ordinary,
  otherWorkspace,
  workspace,
  writeRestricted,
} from './cast.ts'
import { integrity, privilege, type TokenText } from './token.ts'

export interface AccessCase {
  readonly id: string
  readonly why: string
  readonly sd: string
  readonly token: TokenText
  readonly desired: number
  readonly mapping?: MappingName
  readonly status: 'granted' | 'denied' | 'privilege-not-held'
  /** Where it is not simply what was asked for. */
  readonly granted?: number
}

const read = 0x120089
const write = 0x120116
const modify = 0x1301bf
const all = 0x1f01ff
const maximum = 0x2000000
const genericRead = 0x80000000
const genericAll = 0x10000000

const granted = (id: string, why: string, sd: string, token: TokenText, desired: number, more: Partial<AccessCase> = {}): AccessCase => ({
  id,
  why,
  sd,
  token,
  desired,
  status: 'granted',
  ...more,
})
const denied = (id: string, why: string, sd: string, token: TokenText, desired: number, more: Partial<AccessCase> = {}): AccessCase => ({
  ...granted(id, why, sd, token, desired, more),
  status: 'denied',
})

const basics: readonly AccessCase[] = [
  granted('null-dacl', 'an object with a NULL DACL gives everyone full access', 'O:SYD:NO_ACCESS_CONTROL', ordinary, all),
  granted('no-dacl', 'an object without a DACL gives everyone full access', 'O:SY', ordinary, all),
  denied('empty-dacl', 'an empty DACL gives nobody anything', 'O:SYD:', ordinary, read),
  granted('empty-dacl-owner', 'but the owner may read and write the DACL', `O:${alice}D:`, ordinary, 0x60000),
  denied('empty-dacl-owner-data', 'and nothing else', `O:${alice}D:`, ordinary, 0x1),
  granted('user-allowed', 'an entry for the user', `O:SYD:(A;;FR;;;${alice})`, ordinary, read),
  denied('user-not-named', 'nobody is granted what no entry grants', `O:SYD:(A;;FA;;;${bob})`, ordinary, 0x1),
  granted('group-allowed', 'an entry for a group', 'O:SYD:(A;;FR;;;BU)', ordinary, read),
  granted('two-entries', 'rights may come from several entries', `O:SYD:(A;;FR;;;BU)(A;;FW;;;${alice})`, ordinary, read | write),
  denied('partly', 'all of what is asked for or nothing', 'O:SYD:(A;;FR;;;BU)', ordinary, read | 0x2),
  denied('deny-first', 'a deny that comes first decides', 'O:SYD:(D;;FW;;;BU)(A;;FA;;;WD)', ordinary, 0x2),
  granted('deny-other-right', 'it denies what it names', 'O:SYD:(D;;0x2;;;BU)(A;;FA;;;WD)', ordinary, 0x1),
  granted('allow-first', 'entries count in their order, whatever the usual order is', 'O:SYD:(A;;FA;;;WD)(D;;FW;;;BU)', ordinary, 0x2),
  denied('deny-other-user', 'a deny for somebody else is none', `O:SYD:(D;;FA;;;${bob})`, ordinary, 0x1),
  denied('inherit-only-allow', 'an entry for children only does not apply', 'O:SYD:(A;OICIIO;FA;;;WD)', ordinary, 0x1),
  granted('inherit-only-deny', 'nor does a deny for children only', 'O:SYD:(D;OICIIO;FA;;;WD)(A;;FA;;;WD)', ordinary, 0x1),
  granted('inherited-applies', 'where an entry came from does not matter', 'O:SYD:(A;ID;FR;;;BU)', ordinary, read),
  granted('generic-in-entry', 'generic rights in entries are mapped', 'O:SYD:(A;;GR;;;BU)', ordinary, read),
  granted('generic-desired', 'and so are those asked for', 'O:SYD:(A;;FR;;;BU)', ordinary, genericRead, { granted: read }),
  denied('generic-all-desired', 'generic all is everything', `O:SYD:(A;;${modify};;;BU)`, ordinary, genericAll),
  denied('nothing-desired', 'asking for nothing is not granted', 'O:SYD:(A;;FA;;;WD)', ordinary, 0),
  granted('process-mapping', 'other objects have other mappings', `O:SYD:(A;;GR;;;${alice})`, ordinary, 0x410, { mapping: 'process' }),
]

const groups: readonly AccessCase[] = [
  granted('administrator', 'an enabled group grants', 'O:BAD:(A;;FA;;;BA)', administrator, all),
  denied('deny-only-allow', 'a deny-only group does not', 'O:SYD:(A;;FA;;;BA)', denyOnlyAdministrator, 0x1),
  denied('deny-only-deny', 'but it denies', 'O:SYD:(D;;FA;;;BA)(A;;FA;;;WD)', denyOnlyAdministrator, 0x1),
  denied('deny-only-owner', 'a deny-only owner has no owner rights', 'O:BAD:', denyOnlyAdministrator, 0x20000),
  denied('disabled-allow', 'a disabled group does not grant', 'O:SYD:(A;;FA;;;BA)', { user: alice, groups: ['~BA'] }, 0x1),
  granted('disabled-deny', 'nor does it deny', 'O:SYD:(D;;FA;;;BA)(A;;FA;;;WD)', { user: alice, groups: ['~BA', 'WD'] }, 0x1),
  denied('deny-only-user', 'the user itself can be deny-only', `O:SYD:(A;;FA;;;${alice})`, { user: `!${alice}`, groups: ['WD'] }, 0x1),
  denied(
    'deny-only-user-deny',
    'and then still denies',
    `O:SYD:(D;;FR;;;${alice})(A;;FA;;;WD)`,
    { user: `!${alice}`, groups: ['WD'] },
    0x1,
  ),
  denied('deny-only-user-owner', 'and owns nothing', `O:${alice}D:`, { user: `!${alice}`, groups: ['WD'] }, 0x40000),
]

const owners: readonly AccessCase[] = [
  granted('owner-group', 'a group may own', 'O:BAD:', administrator, 0x60000),
  denied('owner-not-delete', 'owning is not deleting', `O:${alice}D:(A;;FR;;;BU)`, ordinary, 0x10000),
  denied('owner-not-take', 'nor giving away', `O:${alice}D:(A;;FR;;;BU)`, ordinary, 0x80000),
  denied('owner-rights-limit', 'OWNER RIGHTS replaces what an owner has', `O:${alice}D:(A;;RC;;;OW)`, ordinary, 0x40000),
  granted('owner-rights-grant', 'and grants what it names', `O:${alice}D:(A;;RC;;;OW)`, ordinary, 0x20000),
  granted('owner-rights-more', 'also more', `O:${alice}D:(A;;FA;;;OW)`, ordinary, all),
  denied('owner-rights-others', 'to the owner only', `O:${bob}D:(A;;FA;;;OW)`, ordinary, 0x1),
  granted('owner-rights-inherit-only', 'not as an entry for children', `O:${alice}D:(A;OICIIO;RC;;;OW)`, ordinary, 0x40000),
  denied('owner-rights-deny', 'a deny for the owner denies', `O:${alice}D:(D;;FW;;;OW)(A;;FA;;;WD)`, ordinary, 0x2),
  granted('owner-explicit-deny', 'a deny takes nothing from what ownership gave', `O:${alice}D:(D;;FA;;;${alice})`, ordinary, 0x40000),
]

const privileges: readonly AccessCase[] = [
  {
    ...granted('sacl-without', 'the SACL needs SeSecurityPrivilege', 'O:SYD:(A;;FA;;;WD)', ordinary, 0x1000000),
    status: 'privilege-not-held',
  },
  granted('sacl-with', 'and nothing else', 'O:SYD:', { ...administrator, privileges: [privilege.security] }, 0x1000000),
  granted(
    'take-ownership',
    'SeTakeOwnershipPrivilege gives WRITE_OWNER',
    'O:SYD:',
    { ...administrator, privileges: [privilege.takeOwnership] },
    0x80000,
  ),
  denied('take-ownership-only', 'and not the DACL', 'O:SYD:', { ...administrator, privileges: [privilege.takeOwnership] }, 0x40000),
]

const twice: readonly AccessCase[] = [
  denied('restricted-user-only', 'the second check knows the restricting SIDs alone', `O:SYD:(A;;FA;;;${alice})`, blind, 0x1),
  denied('restricted-sid-only', 'and grants nothing without the first', `O:SYD:(A;;FA;;;${workspace})`, blind, 0x1),
  granted('restricted-both', 'both must grant', `O:SYD:(A;;FA;;;${alice})(A;;${modify};;;${workspace})`, blind, modify),
  denied('restricted-both-less', 'each right by both', `O:SYD:(A;;FA;;;${alice})(A;;FR;;;${workspace})`, blind, 0x2),
  granted('restricted-users', 'a restricting SID that is a group of the token too', 'O:SYD:(A;;FR;;;BU)', blind, read),
  denied('restricted-everyone', 'Everyone is not in the list', 'O:SYD:(A;;FA;;;WD)', blind, 0x1),
  denied('restricted-authenticated', 'nor is Authenticated Users', 'O:SYD:(A;;FA;;;AU)', blind, 0x2),
  denied('restricted-owner', 'the second check grants no owner rights to the user', `O:${alice}D:(A;;FR;;;BU)`, blind, 0x40000),
  granted('restricted-owner-sid', 'but to a restricting SID that owns', `O:BUD:`, blind, 0x40000),
  denied(
    'restricted-deny',
    'a deny for a restricting SID denies',
    `O:SYD:(D;;FW;;;${workspace})(A;;FA;;;${alice})(A;;FA;;;BU)`,
    blind,
    0x2,
  ),
  denied('restricted-other', 'another agent’s SID is of no use', `O:SYD:(A;;FA;;;${alice})(A;;FA;;;${otherWorkspace})`, blind, 0x1),
  granted('restricted-null-dacl', 'without a DACL there is nothing to check twice', 'O:SYD:NO_ACCESS_CONTROL', blind, all),
  granted(
    'restricted-process',
    'a process whose DACL names user and launch',
    `O:${alice}D:(A;;GA;;;${alice})(A;;GA;;;${launch})`,
    blind,
    0x1fffff,
    { mapping: 'process' },
  ),
  denied('restricted-other-process', 'a process of the user’s own', `O:${alice}D:(A;;GA;;;${alice})(A;;GA;;;SY)`, blind, 0x10, {
    mapping: 'process',
  }),
  denied('restricted-deny-only-admin', 'administrators’ files stay closed', 'O:BAD:(A;;FA;;;BA)', blind, 0x1),
  granted(
    'account-member',
    'an account through its group',
    `O:SYD:(A;;${modify};;;${agents})(A;;${modify};;;${workspace})`,
    account,
    modify,
  ),
  denied('account-profile', 'an account in the user’s profile', `O:${alice}D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;${alice})`, account, 0x1),
]

const writing: readonly AccessCase[] = [
  granted('write-restricted-read', 'reading is checked once', `O:SYD:(A;;FA;;;${alice})`, writeRestricted, read),
  granted('write-restricted-execute', 'and so is executing', `O:SYD:(A;;FA;;;${alice})`, writeRestricted, 0x1200a0),
  denied('write-restricted-write', 'writing is checked twice', `O:SYD:(A;;FA;;;${alice})`, writeRestricted, 0x2),
  denied('write-restricted-delete', 'deleting is writing', `O:SYD:(A;;FA;;;${alice})`, writeRestricted, 0x10000),
  denied(
    'write-restricted-dac',
    'and so is writing the DACL, for the owner too',
    `O:${alice}D:(A;;FA;;;${alice})`,
    writeRestricted,
    0x40000,
  ),
  denied('write-restricted-attributes', 'and attributes', `O:SYD:(A;;FA;;;${alice})`, writeRestricted, 0x100),
  granted('write-restricted-both', 'with both', `O:SYD:(A;;FA;;;${alice})(A;;${modify};;;${workspace})`, writeRestricted, write),
  denied(
    'write-restricted-mixed',
    'one right to write makes all of the request be checked',
    `O:SYD:(A;;FA;;;${alice})(A;;0x2;;;${workspace})`,
    writeRestricted,
    0x3,
  ),
  granted(
    'write-restricted-maximum',
    'the maximum is every right by itself',
    `O:SYD:(A;;FA;;;${alice})(A;;0x2;;;${workspace})`,
    writeRestricted,
    maximum,
    { granted: 0x1200ab },
  ),
  denied('write-restricted-everyone', 'what everybody may write is closed to it', 'O:SYD:(A;;FA;;;WD)', writeRestricted, 0x2),
]

const levels: readonly AccessCase[] = [
  denied('low-write', 'no writing up', `O:SYD:(A;;FA;;;${alice})`, low(ordinary), 0x2),
  granted('low-read', 'reading up is allowed where no label says otherwise', `O:SYD:(A;;FA;;;${alice})`, low(ordinary), read),
  granted('low-label-write', 'an object labelled low can be written', `O:SYD:(A;;FA;;;${alice})S:(ML;;NW;;;LW)`, low(ordinary), 0x2),
  denied('low-dac', 'nor the DACL, for the owner too', `O:${alice}D:(A;;FA;;;${alice})`, low(ordinary), 0x40000),
  denied('low-delete', 'nor deleting', `O:SYD:(A;;FA;;;${alice})`, low(ordinary), 0x10000),
  denied('no-read-up', 'a label may forbid reading', `O:SYD:(A;;FA;;;${alice})S:(ML;;NWNR;;;ME)`, low(ordinary), 0x1),
  denied('no-execute-up', 'or executing', `O:SYD:(A;;FA;;;${alice})S:(ML;;NX;;;ME)`, low(ordinary), 0x20),
  denied('medium-to-high', 'medium is below high', `O:SYD:(A;;FA;;;${alice})S:(ML;;NW;;;HI)`, ordinary, 0x2),
  granted('high-to-high', 'equal is enough', `O:SYD:(A;;FA;;;${alice})S:(ML;;NW;;;HI)`, administrator, 0x2),
  granted('label-inherit-only', 'a label for children only does not apply', `O:SYD:(A;;FA;;;${alice})S:(ML;OICIIO;NW;;;HI)`, ordinary, 0x2),
  granted('untrusted-read', 'every level may read up', `O:SYD:(A;;FR;;;${alice})`, { ...ordinary, integrity: integrity.untrusted }, read),
  granted(
    'low-blind-workspace',
    'an agent in its workspace',
    `O:BAD:P(A;;FA;;;${alice})(A;;FA;;;SY)(A;;${modify};;;${workspace})S:(ML;OICI;NW;;;LW)`,
    lowBlind,
    modify,
  ),
  denied('low-blind-unlabelled', 'not without the label', `O:BAD:P(A;;FA;;;${alice})(A;;${modify};;;${workspace})`, lowBlind, 0x2),
  denied(
    'low-process',
    'a process of a higher level cannot be read',
    `O:${alice}D:(A;;GA;;;${alice})S:(ML;;NWNR;;;ME)`,
    low(ordinary),
    0x10,
    { mapping: 'process' },
  ),
  granted('low-process-limited', 'but be looked at', `O:${alice}D:(A;;GA;;;${alice})S:(ML;;NWNR;;;ME)`, low(ordinary), 0x1000, {
    mapping: 'process',
  }),
  granted(
    'relabel',
    'SeRelabelPrivilege may take ownership from above',
    `O:SYD:(A;;FA;;;${alice})S:(ML;;NW;;;HI)`,
    { ...ordinary, privileges: [privilege.relabel] },
    0x80000,
  ),
]

const maximums: readonly AccessCase[] = [
  granted('maximum', 'the maximum is everything granted', `O:SYD:(A;;FR;;;BU)(A;;0x2;;;${alice})`, ordinary, maximum, {
    granted: read | 0x2,
  }),
  granted('maximum-owner', 'with what owners have', `O:${alice}D:(A;;FR;;;BU)`, ordinary, maximum, { granted: read | 0x40000 }),
  granted('maximum-deny', 'without what is denied', 'O:SYD:(D;;0x2;;;BU)(A;;FA;;;WD)', ordinary, maximum, { granted: 0x1f01fd }),
  denied('maximum-nothing', 'nothing is no access', `O:SYD:(A;;FA;;;${bob})`, ordinary, maximum),
  granted('maximum-restricted', 'both checks', `O:SYD:(A;;FA;;;${alice})(A;;FR;;;${workspace})`, blind, maximum, { granted: read }),
  granted('maximum-low', 'and the level', `O:SYD:(A;;FA;;;${alice})`, low(ordinary), maximum, { granted: 0x1200a9 }),
  denied('maximum-and-more', 'together with a right that is not granted', 'O:SYD:(A;;FR;;;BU)', ordinary, maximum | 0x2),
]

const filters: readonly AccessCase[] = [
  granted(
    'wfp-account',
    'a filter for an account and for restricting SIDs',
    `D:P(A;;0x1;;;${bob})(A;;0x1;;;RC)(A;;0x1;;;WR)`,
    account,
    0x1,
    { mapping: 'wfp' },
  ),
  denied('wfp-account-alone', 'a filter for the account alone does not match its restricted token', `D:P(A;;0x1;;;${bob})`, account, 0x1, {
    mapping: 'wfp',
  }),
  denied('wfp-other', 'nor anybody else', `D:P(A;;0x1;;;${bob})(A;;0x1;;;RC)(A;;0x1;;;WR)`, ordinary, 0x1, { mapping: 'wfp' }),
]

export const accessCases: readonly AccessCase[] = [
  ...basics,
  ...groups,
  ...owners,
  ...privileges,
  ...twice,
  ...writing,
  ...levels,
  ...maximums,
  ...filters,
]
