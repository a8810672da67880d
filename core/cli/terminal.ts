import type { WriteStream } from 'node:tty'
import { escapeJson } from './render/escape.ts'

/** The only way to the user's terminal. */
export interface Terminal {
  /** Standard output is a terminal that can be redrawn. */
  readonly live: boolean
  readonly columns: number
  out(line: string): void
  /** A diagnostic line on standard error. */
  note(line: string): void
  json(value: unknown): void
  raw(text: string | Uint8Array): void
}

export function systemTerminal(): Terminal {
  const stdout = process.stdout as WriteStream
  // A reader that went away (`bulkhead ls | head`) is no reason to stop a run, and none to complain.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return {
    live: stdout.isTTY && process.env['TERM'] !== 'dumb',
    get columns() {
      return stdout.isTTY ? stdout.columns : 80
    },
    out: (line) => void stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    json: (value) => void stdout.write(`${escapeJson(value)}\n`),
    raw: (text) => void stdout.write(text),
  }
}
