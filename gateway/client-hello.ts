/** What a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3) says about whom it is for. */
export type ClientHello =
  | { readonly state: 'more' }
  | { readonly state: 'invalid'; readonly why: string }
  | {
      readonly state: 'hello'
      /** As sent, not canonical; null when there is none. */
      readonly serverName: string | null
      /** Carries an encrypted ClientHello or its forerunner ESNI. */
      readonly encrypted: boolean
    }

const handshakeRecord = 22
const clientHelloMessage = 1
const maximumRecord = 16_384
/** A ClientHello with post-quantum keys has about 2 KB. */
const maximumHello = 32_768
/** TLS libraries fill their records; a hello in many tiny ones is only there to cost time. */
const maximumRecords = 32
const serverNameExtension = 0
/** encrypted_client_hello (RFC 9849), its last drafts, and the experimental encrypted_server_name. */
const encryptedExtensions: readonly number[] = [0xfe0d, 0xfe0c, 0xfe0b, 0xfe0a, 0xfe09, 0xfe08, 0xffce]

/** Parses the first bytes of a TLS client strictly: all lengths must add up, nothing may be sent twice. Never throws. */
export function parseClientHello(bytes: Buffer): ClientHello {
  const message = handshakeMessage(bytes)
  if (!Buffer.isBuffer(message)) return message
  try {
    return parseBody(new Reader(message))
  } catch (error) {
    if (error instanceof Malformed) return { state: 'invalid', why: error.message }
    throw error
  }
}

/** Body of the first handshake message, put together from its records; what follows those records is not looked at. */
function handshakeMessage(bytes: Buffer): Buffer | Exclude<ClientHello, { state: 'hello' }> {
  let message: Buffer = Buffer.alloc(0)
  let offset = 0
  for (let records = 0; bytes.length - offset >= 5; records++) {
    const length = bytes.readUInt16BE(offset + 3)
    if (bytes[offset] !== handshakeRecord || bytes[offset + 1] !== 3) return { state: 'invalid', why: 'not a handshake record' }
    if (length === 0 || length > maximumRecord || records === maximumRecords) return { state: 'invalid', why: 'record length' }
    const fragment = bytes.subarray(offset + 5, offset + 5 + length)
    message = records === 0 ? fragment : Buffer.concat([message, fragment])
    if (message.length >= 4) {
      const size = message.readUIntBE(1, 3) + 4
      if (message[0] !== clientHelloMessage) return { state: 'invalid', why: 'not a ClientHello' }
      if (size > maximumHello) return { state: 'invalid', why: 'too long' }
      if (message.length - fragment.length + length > size) return { state: 'invalid', why: 'more than a ClientHello' }
      if (message.length === size) return message.subarray(4)
    }
    offset += 5 + length
  }
  return { state: 'more' }
}

function parseBody(hello: Reader): ClientHello {
  hello.take(2 + 32)
  if (hello.block(1).length > 32) throw new Malformed('session id')
  const suites = hello.block(2)
  if (suites.length === 0 || suites.length % 2 !== 0) throw new Malformed('cipher suites')
  if (hello.block(1).length === 0) throw new Malformed('compression methods')
  if (hello.left === 0) return { state: 'hello', serverName: null, encrypted: false }
  const extensions = new Reader(hello.block(2))
  if (hello.left !== 0) throw new Malformed('bytes after the extensions')
  const seen = new Set<number>()
  let serverName: string | null = null
  while (extensions.left > 0) {
    const type = extensions.number(2)
    const data = extensions.block(2)
    if (seen.has(type)) throw new Malformed('an extension twice')
    seen.add(type)
    if (type === serverNameExtension) serverName = parseServerName(new Reader(data))
  }
  return { state: 'hello', serverName, encrypted: encryptedExtensions.some((type) => seen.has(type)) }
}

/** A list with exactly one entry of type host_name, the only type there is. */
function parseServerName(data: Reader): string {
  const list = new Reader(data.block(2))
  if (data.left !== 0) throw new Malformed('server name list')
  if (list.number(1) !== 0) throw new Malformed('server name type')
  const name = list.block(2)
  if (list.left !== 0 || name.length === 0 || name.length > 255) throw new Malformed('server name')
  return name.toString('latin1')
}

class Malformed extends Error {}

class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#offset
  }

  take(count: number): Buffer {
    if (count > this.left) throw new Malformed('too short')
    this.#offset += count
    return this.#bytes.subarray(this.#offset - count, this.#offset)
  }

  number(width: 1 | 2): number {
    return this.take(width).readUIntBE(0, width)
  }

  /** Bytes preceded by their count, which takes `width` bytes. */
  block(width: 1 | 2): Buffer {
    return this.take(this.number(width))
  }
}
