import { lstatSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { fileSecurity } from '../../native/index.ts'
import type { FileSecurity } from '../../native/index.ts'

export interface DirectoryEntry {
  readonly name: string
  readonly directory: boolean
  /** A link of any kind is never followed. */
  readonly link: boolean
}

/** What this layer does to the machine. Canonical Windows paths; errors are those of `node:fs` unless they are said. */
export interface Disk {
  readonly security: FileSecurity
  /** Undefined when there is no such directory. */
  entries(directory: string): readonly DirectoryEntry[] | undefined
  /** Where a path leads, through links; undefined when that is nothing. */
  realPath(path: string): string | undefined
  /** Bytes of a file; 0 when there is none. */
  size(file: string): number
  /** With all directories above it. Nothing happens when it is there. */
  makeDirectory(path: string): void
  /** Fails when there is something of that name. */
  writeNew(file: string, text: string): void
  /** Undefined when there is no such file. */
  readText(file: string): string | undefined
  /** Nothing happens when it is not there. */
  removeFile(file: string): void
  /** Nothing happens when it is not there; fails when it is not empty. */
  removeEmpty(directory: string): void
}

/** Access denied, as `node:fs` says it on Windows. */
function isClosed(error: unknown): boolean {
  return ['EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** What a directory holds; nothing when it is not there, or cannot be listed. */
export function entriesOf(disk: Disk, directory: string): readonly DirectoryEntry[] {
  try {
    return disk.entries(directory) ?? []
  } catch (error) {
    if (isClosed(error)) return []
    throw error
  }
}

/** Loads the native module when it is used. */
export const realDisk: Disk = {
  get security() {
    return fileSecurity()
  },
  entries: (directory) =>
    unlessMissing(() =>
      readdirSync(directory, { withFileTypes: true }).map((entry) => ({
        name: entry.name,
        directory: entry.isDirectory(),
        link: !entry.isDirectory() && !entry.isFile(),
      })),
    ),
  realPath: (path) => unlessMissing(() => realpathSync.native(path)),
  size: (file) => unlessMissing(() => lstatSync(file).size) ?? 0,
  makeDirectory: (path) => void mkdirSync(path, { recursive: true }),
  writeNew: (file, text) => writeFileSync(file, text, { flag: 'wx' }),
  readText: (file) => unlessMissing(() => readFileSync(file, 'utf8')),
  removeFile: (file) => unlessMissing(() => unlinkSync(file)),
  removeEmpty: (directory) => unlessMissing(() => rmdirSync(directory)),
}

function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
