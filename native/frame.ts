/** BH_FRAME_MAX of `include/bulkhead.h`. */
const longestFrame = 4 << 20

/**
 * Frames of `include/bulkhead.h`: u32 length, u8 type, body; little-endian; text is a u32 length and bytes without NUL. Nothing here knows
 * what a frame means.
 */
export class FrameWriter {
  #bytes = Buffer.alloc(1024)
  #length = 4

  constructor(type: number) {
    this.u8(type)
  }

  u8(value: number): void {
    this.#room(1)
    this.#length = this.#bytes.writeUInt8(value, this.#length)
  }

  u32(value: number): void {
    this.#room(4)
    this.#length = this.#bytes.writeUInt32LE(value, this.#length)
  }

  u64(value: number): void {
    this.#room(8)
    this.#length = this.#bytes.writeBigUInt64LE(BigInt(value), this.#length)
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  /** Throws RangeError on a NUL: it would end the text early for whoever reads it as a C string. */
  text(value: string): void {
    if (value.includes('\0')) throw new RangeError('a text for the native module contains a NUL character')
    const length = Buffer.byteLength(value)
    this.u32(length)
    this.#room(length)
    this.#length += this.#bytes.write(value, this.#length)
  }

  texts(values: readonly string[]): void {
    this.u32(values.length)
    for (const value of values) this.text(value)
  }

  /** null: not limited. */
  limit(value: number | null): void {
    this.bool(value !== null)
    if (value !== null) this.u64(value)
  }

  /** Throws RangeError for a frame that the other side would refuse. */
  finish(): Uint8Array {
    if (this.#length - 4 > longestFrame) throw new RangeError(`a frame for the native module has ${this.#length} bytes, too many`)
    this.#bytes.writeUInt32LE(this.#length - 4, 0)
    return this.#bytes.subarray(0, this.#length)
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const bytes = Buffer.alloc((this.#length + more) * 2)
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }
}

/** Reads one frame's body. Throws RangeError past its end: the other side is our own, so that is a defect. */
export class FrameReader {
  readonly type: number
  readonly #bytes: Buffer
  #at = 1

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.type = bytes.readUInt8(0)
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#move(1))
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#move(4))
  }

  /** True while there is something left to read. */
  get more(): boolean {
    return this.#at < this.#bytes.length
  }

  /** Bytes that are not UTF-8 become U+FFFD: texts of an agent are shown, never used as names again. */
  text(): string {
    const length = this.u32()
    const at = this.#move(length)
    return this.#bytes.toString('utf8', at, at + length)
  }

  #move(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw new RangeError('a frame of the native module is cut short')
    this.#at += length
    return at
  }
}

/** Cuts a stream of bytes into frames. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): FrameReader[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: FrameReader[] = []
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUInt32LE(0)
      if (this.#rest.length < 4 + length) break
      frames.push(new FrameReader(this.#rest.subarray(4, 4 + length)))
      this.#rest = this.#rest.subarray(4 + length)
    }
    return frames
  }
}
