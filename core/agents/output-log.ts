import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BulkheadError } from '../contracts/error.ts'
import { ioError } from './io-error.ts'

// O_NOFOLLOW: a link put in place of the log must not turn the agent's words into somebody's file. Absent (0) where there is no such flag.
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The job's log: raw bytes, appended in the order in which they came, mode 0600. */
export class OutputLog implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #path: string
  #last: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle, path: string) {
    this.#file = file
    this.#path = path
  }

  /** Throws `workspace_failed`, `host_no_space`. */
  static async open(path: string): Promise<OutputLog> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const file = await open(path, flags, 0o600)
      if ((await file.stat()).isFile()) return new OutputLog(file, path)
      await file.close()
    } catch (error) {
      throw ioError(error, 'open the log', path)
    }
    throw new BulkheadError('workspace_failed', `cannot open the log ${path}: it is not a file`, { operation: 'open the log', where: path })
  }

  /** Resolves when the bytes are with the kernel; awaiting it is what holds a fast writer back. One chunk is never torn by another. */
  append(chunk: Uint8Array): Promise<void> {
    const writing = this.#last.then(() => this.#write(chunk))
    this.#last = writing.catch(() => undefined)
    return writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    await this.#file.close()
  }

  async #write(chunk: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < chunk.length;) done += (await this.#file.write(chunk, done)).bytesWritten
    } catch (error) {
      throw ioError(error, 'write to the log', this.#path)
    }
  }
}
