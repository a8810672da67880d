import { closeSync, constants, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { isatty } from 'node:tty'
import { BulkheadError } from '../../contracts/error.ts'
import type { Denial } from '../../contracts/denial.ts'
import { openPlain } from '../../contracts/open-plain.ts'
import { escapeJson, escapeLine } from '../render/escape.ts'
import type { VerbContext } from '../verb.ts'
import type { ExecOptions } from './options.ts'

export interface EventRecord extends Disposable {
  write(event: object): void
  denied(denial: Denial): void
}

/** Denials go to standard error when a person sees it; everything goes to `--events`. */
export function openRecord(context: VerbContext, { events, json }: ExecOptions): EventRecord {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT
  let descriptor: number | undefined
  try {
    descriptor = events === undefined ? undefined : openPlain(resolve(context.directory, events), flags, 0o600)
  } catch (cause) {
    throw new BulkheadError('usage_invalid', `--events ${events} cannot be opened (${(cause as NodeJS.ErrnoException).code})`, {
      remedy: 'Name a file that you can write.',
      cause,
    })
  }
  const write = (event: object): void => {
    if (descriptor === undefined) return
    try {
      writeSync(descriptor, `${escapeJson({ at: Date.now(), ...event })}\n`)
    } catch (cause) {
      const { code = '' } = cause as NodeJS.ErrnoException
      const full = code === 'ENOSPC' || code === 'EDQUOT'
      const why = full ? 'the disk is full' : `it cannot be written (${code})`
      throw new BulkheadError(full ? 'host_no_space' : 'usage_invalid', `--events ${events}: ${why}`, { cause })
    }
  }
  const visible = isatty(2)
  return {
    write,
    denied(denial) {
      write({ type: 'denial', ...denial })
      if (json === true) context.terminal.note(escapeJson({ type: 'denial', ...denial }))
      else if (visible) context.terminal.note(denialLine(denial))
    },
    [Symbol.dispose]: () => {
      if (descriptor !== undefined) closeSync(descriptor)
    },
  }
}

function denialLine({ action, object, layer, reason, remedy }: Denial): string {
  return escapeLine(`bulkhead: ${action} ${object} (${layer}: ${reason})${remedy === null ? '' : `; to allow it: ${remedy}`}`)
}
