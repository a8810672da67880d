/** RFC 9110 7.6.1 and its forerunners: these concern one hop only. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** Named in `Connection` they would change where the request goes or where it ends. */
const notRemovable: ReadonlySet<string> = new Set(['host', 'content-length'])

/** Names and values in turn, as in `IncomingMessage.rawHeaders`. */
export type RawHeaders = readonly string[]

/** The headers that go on to the next hop, without `drop` (lower case). */
export function endToEnd(raw: RawHeaders, drop: readonly string[] = []): string[] {
  const named = values(raw, 'connection').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()))
  const gone = new Set([...hopByHop, ...named.filter((name) => !notRemovable.has(name)), ...drop])
  return pairs(raw)
    .filter(([name]) => !gone.has(name.toLowerCase()))
    .flat()
}

export function values(raw: RawHeaders, name: string): string[] {
  return pairs(raw)
    .filter(([other]) => other.toLowerCase() === name)
    .map(([, value]) => value)
}

/**
 * How the body of a request is framed, or null where two readers could disagree (request smuggling): both ways at once, one of them
 * twice, or a coding other than `chunked`.
 */
export function framing(raw: RawHeaders): 'none' | 'chunked' | 'length' | null {
  const codings = values(raw, 'transfer-encoding')
  const lengths = values(raw, 'content-length')
  if (codings.length + lengths.length > 1) return null
  if (codings.length === 1) return codings[0]?.toLowerCase() === 'chunked' ? 'chunked' : null
  if (lengths.length === 1) return /^\d{1,15}$/.test(lengths[0] ?? '') ? 'length' : null
  return 'none'
}

function pairs(raw: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: raw.length >> 1 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? ''])
}
