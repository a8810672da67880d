/** NTFS: what the directory above adds to a file's own descriptor. Written by hand like access-cases.ts. */
import { alice, blind, low, ordinary, workspace } from './cast.ts'
import type { TokenText } from './token.ts'

export interface FileCase {
  readonly id: string
  readonly why: string
  readonly sd: string
  readonly parent: string
  readonly token: TokenText
  readonly desired: number
  readonly status: 'granted' | 'denied'
  readonly granted?: number
}

const closed = 'O:SYD:P(A;;FA;;;SY)'
const listable = 'O:SYD:(A;;FR;;;BU)'
const full = `O:SYD:(A;;FA;;;${alice})`
const withoutDeleteChild = `O:SYD:(A;;0x1301bf;;;${alice})`

export const fileCases: readonly FileCase[] = [
  {
    id: 'delete-by-parent',
    why: 'FILE_DELETE_CHILD deletes what its own descriptor closes',
    sd: closed,
    parent: full,
    token: ordinary,
    desired: 0x10000,
    status: 'granted',
  },
  {
    id: 'no-delete-by-parent',
    why: 'modify has no FILE_DELETE_CHILD',
    sd: closed,
    parent: withoutDeleteChild,
    token: ordinary,
    desired: 0x10000,
    status: 'denied',
  },
  {
    id: 'delete-by-itself',
    why: 'DELETE on the file is enough',
    sd: `O:SYD:(A;;SD;;;${alice})`,
    parent: closed,
    token: ordinary,
    desired: 0x10000,
    status: 'granted',
  },
  {
    id: 'delete-and-read',
    why: 'the directory gives DELETE and no more',
    sd: closed,
    parent: full,
    token: ordinary,
    desired: 0x10001,
    status: 'denied',
  },
  {
    id: 'delete-and-read-both',
    why: 'each from where it comes',
    sd: `O:SYD:(A;;FR;;;${alice})`,
    parent: full,
    token: ordinary,
    desired: 0x10001,
    status: 'granted',
  },
  {
    id: 'attributes-by-list',
    why: 'who may list may read attributes',
    sd: closed,
    parent: listable,
    token: ordinary,
    desired: 0x80,
    status: 'granted',
  },
  {
    id: 'attributes-and-wait',
    why: 'and wait for the handle',
    sd: closed,
    parent: listable,
    token: ordinary,
    desired: 0x100080,
    status: 'granted',
  },
  { id: 'attributes-closed', why: 'not without listing', sd: closed, parent: closed, token: ordinary, desired: 0x80, status: 'denied' },
  { id: 'data-by-list', why: 'listing is not reading', sd: closed, parent: listable, token: ordinary, desired: 0x1, status: 'denied' },
  {
    id: 'blind-delete-child',
    why: 'the parent is checked twice, too',
    sd: closed,
    parent: full,
    token: blind,
    desired: 0x10000,
    status: 'denied',
  },
  {
    id: 'blind-delete-child-both',
    why: 'with the workspace’s SID it is granted',
    sd: closed,
    parent: `${full}(A;;FA;;;${workspace})`,
    token: blind,
    desired: 0x10000,
    status: 'granted',
  },
  {
    id: 'low-delete-child',
    why: 'and so is the level',
    sd: closed,
    parent: full,
    token: low(ordinary),
    desired: 0x10000,
    status: 'denied',
  },
  {
    id: 'maximum-by-parent',
    why: 'the maximum includes what the directory gives',
    sd: closed,
    parent: full,
    token: ordinary,
    desired: 0x2000000,
    status: 'granted',
    granted: 0x110080,
  },
  {
    id: 'file-maximum-nothing',
    why: 'and is nothing where neither gives',
    sd: closed,
    parent: closed,
    token: ordinary,
    desired: 0x2000000,
    status: 'denied',
  },
]
