/**
 * The few items of CBOR that our objects are made of (protocols/substrate.md S-4), written straight into one buffer and read in one walk. Writing a
 * directory of 20,000 files through a data model and a general library was a sixth of its import.
 */
import { equalBytes, fromUtf8, utf8, writeHex, writeU32, writeU64 } from './bytes.js'
import { MalformedError } from './errors.js'
import { LIMITS } from './limits.js'

/** Major types. */
const UINT = 0
const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const FALSE = 0xf4
const TRUE = 0xf5

/** Enough for most objects; a Tree makes it grow. */
const FIRST_BYTES = 512
/** The largest buffer that is used again. */
const KEPT_BYTES = 65_536

/** Every head is the shortest one for its number. Keys of a map are the caller's to sort. */
export class CborWriter {
  #out = new Uint8Array(FIRST_BYTES)
  #at = 0

  /** 0 to 2^53-1 */
  uint (value: number): void {
    this.#head(UINT, value)
  }

  bool (value: boolean): void {
    this.#room(1)
    this.#out[this.#at++] = value ? TRUE : FALSE
  }

  bytes (value: Uint8Array): void {
    this.#head(BYTES, value.length)
    this.raw(value)
  }

  /** A byte string given as lower-case hex. Throws `MalformedError` on anything else. */
  hex (value: string): void {
    const length = value.length >>> 1
    this.#head(BYTES, length)
    this.#room(length)
    writeHex(this.#out, this.#at, value)
    this.#at += length
  }

  text (value: string): void {
    const start = this.#at
    this.#head(TEXT, value.length)
    this.#room(value.length)
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        // Not as many bytes as units: begin again, the general way.
        this.#at = start
        const bytes = utf8(value)
        this.#head(TEXT, bytes.length)
        this.raw(bytes)
        return
      }
      this.#out[this.#at++] = code
    }
  }

  /** The head of a list; its items follow. */
  list (items: number): void {
    this.#head(LIST, items)
  }

  /** The head of a map; its keys and values follow in turn. */
  map (pairs: number): void {
    this.#head(MAP, pairs)
  }

  /** Bytes that are encoded already. */
  raw (bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#out.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** What was written, in an array of its own. */
  finish (): Uint8Array {
    return this.#out.slice(0, this.#at)
  }

  /** Whether exactly `bytes` were written. */
  wrote (bytes: Uint8Array): boolean {
    return equalBytes(this.#out.subarray(0, this.#at), bytes)
  }

  /** Begins again, in the same buffer. A large one is let go. */
  reset (): void {
    this.#at = 0
    if (this.#out.length > KEPT_BYTES) this.#out = new Uint8Array(FIRST_BYTES)
  }

  #head (major: number, n: number): void {
    this.#room(9)
    const out = this.#out
    const first = major << 5
    if (n < 24) out[this.#at++] = first | n
    else if (n < 0x100) {
      out[this.#at++] = first | 24
      out[this.#at++] = n
    } else if (n < 0x10000) {
      out[this.#at++] = first | 25
      out[this.#at++] = n >>> 8
      out[this.#at++] = n
    } else if (n < 0x100000000) {
      out[this.#at] = first | 26
      writeU32(out, this.#at + 1, n)
      this.#at += 5
    } else {
      out[this.#at] = first | 27
      writeU64(out, this.#at + 1, n)
      this.#at += 9
    }
  }

  #room (bytes: number): void {
    const need = this.#at + bytes
    if (need <= this.#out.length) return
    const larger = new Uint8Array(Math.max(need, 2 * this.#out.length))
    larger.set(this.#out.subarray(0, this.#at))
    this.#out = larger
  }
}

/**
 * The one item in `bytes` as numbers, booleans, text, arrays, plain objects, and byte strings as views of `bytes`. Refuses depth, indefinite lengths,
 * tags, floats and null, and a declared length or count that the remaining bytes can't hold, so that nothing is ever allocated on a peer's word. It
 * does **not** ask for the shortest heads or for sorted keys: that is the re-encoding's part (codec.ts). Throws `MalformedError`.
 */
export function readCbor (bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  const item = reader.item(0)
  if (reader.left > 0) throw new MalformedError('bytes after the end')
  return item
}

/** Short texts that were read before, mostly keys: the same few come in every message, and a decoder's call costs more than all else about them. */
const KNOWN = 1024
const KNOWN_LENGTH = 24
const texts: string[] = Array.from({ length: KNOWN }, () => '')

/** Whether `bytes`, of the same length, spell `text`; only ASCII is compared. */
function isAscii (text: string, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f || text.charCodeAt(i) !== bytes[i]) return false
  return true
}

class Reader {
  #at = 0

  constructor (private readonly b: Uint8Array) {}

  get left (): number {
    return this.b.length - this.#at
  }

  item (depth: number): unknown {
    if (this.left === 0) throw new MalformedError('ends in the middle of an item')
    const head = this.b[this.#at++] as number
    if (head === FALSE || head === TRUE) return head === TRUE
    const n = this.#number(head & 31)
    switch (head >> 5) {
      case UINT: return n
      case BYTES: return this.#string(n)
      case TEXT: return this.#text(n)
      case LIST: return this.#list(n, depth)
      case MAP: return this.#map(n, depth)
      case 1: throw new MalformedError('negative integers are not allowed')
      case 6: throw new MalformedError('tags are not allowed')
      default: throw new MalformedError('only true and false are allowed as simple values')
    }
  }

  /** What the head carries; above 2^53 not exact, and refused by every shape. */
  #number (info: number): number {
    if (info < 24) return info
    if (info > 27) throw new MalformedError('indefinite length or reserved head')
    const n = 1 << (info - 24)
    if (n > this.left) throw new MalformedError('ends in the middle of a head')
    let value = 0
    for (const end = this.#at + n; this.#at < end; this.#at++) value = value * 256 + (this.b[this.#at] as number)
    return value
  }

  #string (length: number): Uint8Array {
    if (length > this.left) throw new MalformedError('a string is longer than the bytes that are there')
    const from = this.#at
    this.#at += length
    return this.b.subarray(from, this.#at)
  }

  #text (length: number): string {
    const bytes = this.#string(length)
    if (length > KNOWN_LENGTH) return fromUtf8(bytes)
    let slot = length
    for (let i = 0; i < length; i++) slot = (slot * 31 + (bytes[i] as number)) & (KNOWN - 1)
    const known = texts[slot] as string
    if (known.length === length && isAscii(known, bytes)) return known
    const text = fromUtf8(bytes)
    if (text.length === length) texts[slot] = text
    return text
  }

  #list (items: number, depth: number): unknown[] {
    this.#open(items, depth)
    const out: unknown[] = []
    for (let i = 0; i < items; i++) out.push(this.item(depth + 1))
    return out
  }

  #map (pairs: number, depth: number): Record<string, unknown> {
    this.#open(2 * pairs, depth)
    const out: Record<string, unknown> = {}
    for (let i = 0; i < pairs; i++) {
      const key = this.item(depth + 1)
      // The second would be no key of its own but the object's prototype. No schema has it.
      if (typeof key !== 'string' || key === '__proto__') throw new MalformedError('a key is not a text that a schema could have')
      out[key] = this.item(depth + 1)
    }
    return out
  }

  #open (items: number, depth: number): void {
    if (items > this.left) throw new MalformedError('a container has more items than the bytes that are there')
    if (depth >= LIMITS.cborDepth) throw new MalformedError(`nested deeper than ${LIMITS.cborDepth}`)
  }
}
