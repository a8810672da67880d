/** What children get, as documented under "ACE Inheritance Rules". Written by hand like access-cases.ts. */
import { alice, bob, workspace } from './cast.ts'

export interface InheritCase {
  readonly id: string
  readonly why: string
  readonly parent: string
  readonly kind: 'file' | 'directory'
  readonly owner: string
  /** The child's own descriptor, if it was given one. */
  readonly own?: string
  /** SDDL of the whole result. */
  readonly child: string
}

const byAlice = `O:${alice}`
const label = (flags: string, rid: string): string => `S:(ML;${flags};0x1;;;S-1-16-${rid})`

export const inheritCases: readonly InheritCase[] = [
  {
    id: 'both-file',
    why: 'OI CI reaches files, where it ends',
    parent: 'D:(A;OICI;FA;;;SY)',
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'both-directory',
    why: 'and directories, where it goes on',
    parent: 'D:(A;OICI;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;OICIID;0x1f01ff;;;S-1-5-18)`,
  },
  { id: 'none', why: 'an entry without flags stays', parent: 'D:(A;;FA;;;SY)', kind: 'file', owner: alice, child: `${byAlice}D:AI` },
  {
    id: 'object-file',
    why: 'OI reaches files',
    parent: 'D:(A;OI;FA;;;SY)',
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'object-directory',
    why: 'and is handed on by directories without applying',
    parent: 'D:(A;OI;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;OIIOID;0x1f01ff;;;S-1-5-18)`,
  },
  { id: 'container-file', why: 'CI does not reach files', parent: 'D:(A;CI;FA;;;SY)', kind: 'file', owner: alice, child: `${byAlice}D:AI` },
  {
    id: 'container-directory',
    why: 'it reaches directories',
    parent: 'D:(A;CI;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;CIID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'inherit-only',
    why: 'IO ends where the entry applies',
    parent: 'D:(A;OICIIO;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;OICIID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'no-propagate',
    why: 'NP goes one level',
    parent: 'D:(A;OICINP;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'no-propagate-object',
    why: 'NP with OI alone reaches no directory',
    parent: 'D:(A;OINP;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI`,
  },
  {
    id: 'deny',
    why: 'denies are inherited like grants',
    parent: `D:(D;OICI;FW;;;${bob})(A;OICI;FA;;;SY)`,
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(D;ID;0x120116;;;${bob})(A;ID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'creator-file',
    why: 'CREATOR OWNER becomes the owner',
    parent: 'D:(A;OICIIO;FA;;;CO)',
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;${alice})`,
  },
  {
    id: 'creator-directory',
    why: 'and stays CREATOR OWNER further down',
    parent: 'D:(A;OICIIO;FA;;;CO)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;${alice})(A;OICIIOID;0x1f01ff;;;S-1-3-0)`,
  },
  {
    id: 'generic-file',
    why: 'generic rights become the file’s',
    parent: 'D:(A;OICI;GR;;;BU)',
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x120089;;;S-1-5-32-545)`,
  },
  {
    id: 'generic-directory',
    why: 'and stay generic further down',
    parent: 'D:(A;OICI;GR;;;BU)',
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x120089;;;S-1-5-32-545)(A;OICIIOID;0x80000000;;;S-1-5-32-545)`,
  },
  {
    id: 'inherited-again',
    why: 'where an entry came from does not matter',
    parent: 'D:AI(A;OICIID;FA;;;SY)',
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'label',
    why: 'labels are inherited by the same flags',
    parent: `D:(A;OICI;FA;;;SY)${label('OICI', '4096')}`,
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI(A;ID;0x1f01ff;;;S-1-5-18)${label('ID', '4096')}`,
  },
  {
    id: 'label-directory',
    why: 'and go on',
    parent: `D:${label('OICI', '4096')}`,
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI${label('OICIID', '4096')}`,
  },
  {
    id: 'label-files-only',
    why: 'the root’s label is for files in it',
    parent: `D:${label('OINPIO', '12288')}`,
    kind: 'directory',
    owner: alice,
    child: `${byAlice}D:AI`,
  },
  {
    id: 'explicit',
    why: 'explicit entries come first',
    parent: 'D:(A;OICI;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    own: `D:(A;OICI;FR;;;${workspace})`,
    child: `${byAlice}D:AI(A;OICI;0x120089;;;${workspace})(A;OICIID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'explicit-again',
    why: 'what was inherited before is not kept twice',
    parent: 'D:(A;OICI;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    own: `D:(A;;FR;;;${workspace})(A;OICIID;FA;;;SY)`,
    child: `${byAlice}D:AI(A;;0x120089;;;${workspace})(A;OICIID;0x1f01ff;;;S-1-5-18)`,
  },
  {
    id: 'protected',
    why: 'a protected descriptor inherits nothing',
    parent: 'D:(A;OICI;FA;;;SY)',
    kind: 'directory',
    owner: alice,
    own: `D:P(A;OICI;FR;;;${workspace})`,
    child: `${byAlice}D:P(A;OICI;0x120089;;;${workspace})`,
  },
  {
    id: 'protected-label',
    why: 'but the label',
    parent: `D:(A;OICI;FA;;;SY)${label('OICI', '4096')}`,
    kind: 'directory',
    owner: alice,
    own: 'D:P',
    child: `${byAlice}D:P${label('OICIID', '4096')}`,
  },
  {
    id: 'own-label',
    why: 'an own label stands',
    parent: `D:${label('OICI', '4096')}`,
    kind: 'directory',
    owner: alice,
    own: `D:P${label('', '8192')}`,
    child: `${byAlice}D:P${label('', '8192')}`,
  },
  {
    id: 'null-parent',
    why: 'a parent without a DACL leaves nothing',
    parent: 'D:NO_ACCESS_CONTROL',
    kind: 'file',
    owner: alice,
    child: `${byAlice}D:AI`,
  },
]
