/** DNS wire format (RFC 1035 section 4), only as much as a server of synthetic answers needs. */

export const recordTypes = { A: 1, PTR: 12, AAAA: 28 } as const
export const responseCodes = { ok: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const

export type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes]

export interface Query {
  readonly id: number
  readonly recursionDesired: boolean
  /** Labels as Latin-1 text, not validated: a label may hold any byte. */
  readonly labels: readonly string[]
  readonly type: number
  readonly class: number
  /** The question section as sent; echoed, so that clients which randomise the case of letters recognise it. */
  readonly question: Buffer
}

export type DecodedQuery =
  | { readonly kind: 'query'; readonly query: Query }
  /** Answerable with a code only. */
  | { readonly kind: 'bad'; readonly id: number; readonly code: ResponseCode }
  /** Not a query at all: never answered, so that the server cannot be made to talk to itself. */
  | { readonly kind: 'ignore' }

const headerBytes = 12
/** Longest accepted query: header, a name of 255 bytes, and an OPT record with options (RFC 6891). */
export const maximumQueryBytes = 1232

/** Never throws, whatever the bytes. Refuses everything but one plain question; an additional record (EDNS) is ignored. */
export function decodeQuery(message: Buffer): DecodedQuery {
  if (message.length < headerBytes || message.length > maximumQueryBytes) return { kind: 'ignore' }
  const id = message.readUInt16BE(0)
  const flags = message.readUInt16BE(2)
  if ((flags & 0x8000) !== 0) return { kind: 'ignore' }
  if ((flags & 0x7800) !== 0) return { kind: 'bad', id, code: responseCodes.notImplemented }
  const bad: DecodedQuery = { kind: 'bad', id, code: responseCodes.formatError }
  const [questions, answers, authorities, additional] = [4, 6, 8, 10].map((offset) => message.readUInt16BE(offset))
  if (questions !== 1 || answers !== 0 || authorities !== 0 || (additional ?? 0) > 1) return bad

  const labels: string[] = []
  let offset = headerBytes
  for (;;) {
    const length = message[offset]
    // A length above 63 is a compression pointer or reserved: there is nothing before the first name to point to.
    if (length === undefined || length > 63) return bad
    offset++
    if (length === 0) break
    if (offset + length > message.length || offset + length - headerBytes > 254) return bad
    labels.push(message.toString('latin1', offset, offset + length))
    offset += length
  }
  if (offset + 4 > message.length) return bad
  const question = message.subarray(headerBytes, offset + 4)
  const type = message.readUInt16BE(offset)
  const recursionDesired = (flags & 0x0100) !== 0
  return { kind: 'query', query: { id, recursionDesired, labels, type, class: message.readUInt16BE(offset + 2), question } }
}

export interface Answer {
  readonly type: number
  readonly data: Buffer
}

/** `ttl` in seconds. Answers belong to the name of the question. */
export function encodeResponse(query: Query, code: ResponseCode, answers: readonly Answer[], ttl: number): Buffer {
  const head = header(query.id, code, query.recursionDesired, 1, answers.length)
  const records = answers.map(({ type, data }) => {
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc000 | headerBytes, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(ttl, 6)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  return Buffer.concat([head, query.question, ...records])
}

export function encodeFailure(id: number, code: ResponseCode): Buffer {
  return header(id, code, false, 0, 0)
}

/** A domain name as record data. `name` must be canonical. */
export function encodeName(name: string): Buffer {
  return Buffer.concat([...name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]), Buffer.of(0)])
}

/** QR, AA and RA set: there is nobody else to ask. */
function header(id: number, code: ResponseCode, recursionDesired: boolean, questions: number, answers: number): Buffer {
  const head = Buffer.alloc(headerBytes)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(0x8480 | (recursionDesired ? 0x0100 : 0) | code, 2)
  head.writeUInt16BE(questions, 4)
  head.writeUInt16BE(answers, 6)
  return head
}
