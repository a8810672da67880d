/** What somebody confined must not get to do, and would get to do otherwise: the same acts are tried with the double and without it. */
import { join } from 'node:path'
import type { Ground } from './confined.ts'

export interface Act {
  readonly name: string
  /** Prepares what it needs, and returns the attempt. */
  readonly attempt: (ground: Ground) => string
  /** Only where reads are checked twice. */
  readonly blindOnly?: boolean
}

const act = (name: string, attempt: (ground: Ground) => string): Act => ({ name, attempt })
const reading = (name: string, attempt: (ground: Ground) => string): Act => ({ name, attempt, blindOnly: true })

/** Each needs a preparation of its own, because without the double the ones before it succeeded. */
export const refusedActs: readonly Act[] = [
  reading('read a file', (ground) => `read|${ground.prey('read')}`),
  reading('read by its host path', (ground) => `read|\\\\?\\${ground.prey('read2')}`),
  reading('list a directory', (ground) => `list|${ground.emptyDirectory('list')}`),
  act('write over a file', (ground) => `write|${ground.prey('write')}`),
  act('create a file', ({ outside }) => `write|${join(outside, 'created')}`),
  act('create a directory', ({ outside }) => `mkdir|${join(outside, 'made')}`),
  act('delete a file', (ground) => `delete|${ground.prey('delete')}`),
  act('delete through a handle', (ground) => `dispose|${ground.prey('dispose')}`),
  act('remove a directory', (ground) => `rmdir|${ground.emptyDirectory('rmdir')}`),
  act('rename a file', (ground) => `rename|${ground.prey('rename')}|${join(ground.outside, 'renamed')}`),
  act('take a file into the workspace', (ground) => `rename|${ground.prey('take')}|${join(ground.workspace, 'taken')}`),
  act('link a file into the workspace', (ground) => `link|${ground.prey('link')}|${join(ground.workspace, 'linked')}`),
  act('open to write attributes', (ground) => `open|${ground.prey('attributes')}|0x100`),
  act('open to write the list', (ground) => `open|${ground.prey('dac')}|0x40000`),
  act('open to own', (ground) => `open|${ground.prey('owner')}|0x80000`),
  act('write into a protected directory', ({ workspace }) => `write|${join(workspace, '.git', 'hook')}`),
  act('make a directory in it', ({ workspace }) => `mkdir|${join(workspace, '.git', 'hooks')}`),
  act('move it away', ({ workspace }) => `rename|${join(workspace, '.git')}|${join(workspace, 'git-moved')}`),
  act('put a stream beside a file’s data', (ground) => `write|${ground.prey('stream')}:planted`),
  act('create in C:\\', () => 'write|C:\\planted'),
  act('create in the system directory', () => 'write|C:\\windows\\planted'),
]

/** What both may. */
export const allowedActs: readonly Act[] = [
  act('create in the workspace', ({ workspace }) => `write|${join(workspace, 'a')}`),
  act('read it', ({ workspace }) => `read|${join(workspace, 'a')}`),
  act('make a directory', ({ workspace }) => `mkdir|${join(workspace, 'd')}`),
  act('move into it', ({ workspace }) => `rename|${join(workspace, 'a')}|${join(workspace, 'd', 'b')}`),
  act('link in it', ({ workspace }) => `link|${join(workspace, 'd', 'b')}|${join(workspace, 'd', 'c')}`),
  act('delete through a handle', ({ workspace }) => `dispose|${join(workspace, 'd', 'c')}`),
  act('delete', ({ workspace }) => `delete|${join(workspace, 'd', 'b')}`),
  act('remove the directory', ({ workspace }) => `rmdir|${join(workspace, 'd')}`),
  act('read the system’s files', () => 'read|C:\\windows\\win.ini'),
  act('list the system directory', () => 'list|C:\\windows'),
  act('put a stream beside its own', ({ workspace }) => `write|${join(workspace, 'streamed')}:own`),
  act('open its own token', () => 'own-token|0x0008'),
]

/** One directory and one file that succeed without the double, and what to remove afterwards. */
export const planted = ['C:\\planted', 'C:\\windows\\planted'] as const
