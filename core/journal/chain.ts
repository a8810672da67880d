import { createHash } from 'node:crypto'

/** An event exactly as its row holds it. */
export interface EventRow {
  readonly sequence: number
  readonly at: number
  readonly job: string | null
  readonly type: string
  /** JSON text; hashed as it is stored, so no canonical form has to be agreed on. */
  readonly data: string
  readonly hash: string
}

/**
 * Hash of an event: lower-case hex SHA-256 over the JSON text of `[hash before, sequence, at, job, type, data, spec]`. `spec` is the stored
 * text of the job for `job.submitted` and null otherwise, so that the chain covers what was asked for too. The first event follows ''.
 */
export function chainHash(previous: string, event: Omit<EventRow, 'hash'>, spec: string | null): string {
  const content = [previous, event.sequence, event.at, event.job, event.type, event.data, spec]
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
