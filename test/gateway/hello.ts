/** Writes ClientHellos for tests, well-formed unless told otherwise. */
export interface HelloParts {
  readonly serverName?: string | null
  readonly extensions?: readonly (readonly [type: number, data: Buffer])[]
  /** Bytes of the handshake message per record. */
  readonly recordBytes?: number
}

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255)
const block16 = (data: Buffer): Buffer => Buffer.concat([u16(data.length), data])

export function serverNameData(name: string): Buffer {
  return block16(Buffer.concat([Buffer.of(0), block16(Buffer.from(name, 'latin1'))]))
}

export function clientHello({ serverName = 'example.com', extensions = [], recordBytes = 16_384 }: HelloParts = {}): Buffer {
  const all = serverName === null ? extensions : [[0, serverNameData(serverName)] as const, ...extensions]
  const list = Buffer.concat(all.map(([type, data]) => Buffer.concat([u16(type), block16(data)])))
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 7),
    Buffer.of(0),
    block16(Buffer.of(0x13, 0x01)),
    Buffer.of(1, 0),
    block16(list),
  ])
  const message = Buffer.concat([Buffer.of(1, body.length >> 16, (body.length >> 8) & 255, body.length & 255), body])
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += recordBytes) {
    records.push(Buffer.concat([Buffer.of(22, 3, 1), block16(message.subarray(at, at + recordBytes))]))
  }
  return Buffer.concat(records)
}
