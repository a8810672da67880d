import { z } from 'zod'

/**
 * What this layer did, so that it can be taken back. Paths come out of a journal and are not trusted further than what is found there: an
 * object is touched only when it still is the one that was changed.
 */
const entry = z.object({
  kind: z.enum(['allow', 'deny']),
  flags: z.array(z.string()).readonly(),
  mask: z.number().int(),
  sid: z.string(),
})

const object = z.object({
  path: z.string(),
  identity: z.string(),
  /** Its access list before. */
  before: z.string(),
  added: z.array(entry).readonly(),
})

const entries = z.array(entry).readonly()

const receiptShape = z.discriminatedUnion('kind', [
  /** Entries of single objects. */
  z.object({ kind: z.literal('entries'), objects: z.array(object).readonly(), lock: z.string() }),
  /**
   * Entries of a directory and of everything that was in it. `content` is what its content got, as directories have it; `shared` what files
   * got that have another name elsewhere.
   */
  z.object({ kind: z.literal('tree'), root: object, content: entries, shared: entries, everywhere: z.boolean(), lock: z.string() }),
  /** The label of a directory and of everything that was in it. `holder`: this launch, among all that need it. */
  z.object({
    kind: z.literal('label'),
    path: z.string(),
    identity: z.string(),
    leases: z.string(),
    holder: z.string(),
    lock: z.string(),
  }),
  /** An empty directory that keeps a name from being taken. */
  z.object({ kind: z.literal('placeholder'), path: z.string() }),
  /** A directory of this launch alone, with what is in it. */
  z.object({ kind: z.literal('private'), path: z.string() }),
])

export type AclReceipt = z.infer<typeof receiptShape>
export type ChangedObject = z.infer<typeof object>

export function readReceipt(data: unknown): AclReceipt {
  return receiptShape.parse(data)
}
