/**
 * CAR version 1 framing: a DAG-CBOR header with one root, then blocks, each a varint length, a CID and bytes. Every block of ours is ArtifactBytes under
 * a CIDv1 (raw, sha2-256), so any CAR reader agrees on every block. Read as a stream: never more than one block and one chunk of the source in memory,
 * and nothing is reserved because a length says so. Source: RULES B3; https://ipld.io/specs/transport/car/carv1/.
 */
import { concatBytes, equalBytes, fromHex, toHex } from './bytes.js'
import { MalformedError } from './errors.js'
import { LIMITS } from './limits.js'
import { digestOf, type Hash, type Reference, referenceOfHash } from './reference.js'

/** version 1, codec raw, hash sha2-256 of 32 bytes */
const CID_HEAD = Uint8Array.of(0x01, 0x55, 0x12, 0x20)
const CID_BYTES = 36
/** bytes of CID and artifact of the largest block: payload, and 13 bytes in front of it */
const MAX_SECTION = CID_BYTES + 13 + LIMITS.payloadBytes
/** bytes of CID and artifact of the smallest block: an untagged artifact without payload */
const MIN_SECTION = CID_BYTES + 9

/** `{"roots": [CID], "version": 1}` in canonical DAG-CBOR, cut in two around the CID. With one root there is no other way to write it. */
const HEADER_FRONT = Uint8Array.of(0xa2, 0x65, 0x72, 0x6f, 0x6f, 0x74, 0x73, 0x81, 0xd8, 0x2a, 0x58, 0x25, 0x00)
const HEADER_BACK = Uint8Array.of(0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x01)
const HEADER_BYTES = HEADER_FRONT.length + CID_BYTES + HEADER_BACK.length

export type CarFaultCode = 'cut-off' | 'header-malformed' | 'block-malformed' | 'too-large'

/** What is wrong with a CAR's framing. */
export class CarFault extends MalformedError {
  /** `offset`: of the header or block, in bytes from the start of the file */
  constructor (readonly fault: CarFaultCode, readonly offset: number, message: string) {
    super(`at byte ${offset}: ${message}`)
  }
}

export interface CarBlock {
  /** bytes of the file before this block */
  readonly offset: number
  /** what the bytes are called: whether they are is the reader's to check */
  readonly ref: Reference
  /** ArtifactBytes, by their length at least. Good until the next block is asked for. */
  readonly bytes: Uint8Array
}

function varint (value: number): Uint8Array {
  const out: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 0x80)) out.push(value % 0x80 | 0x80)
  return Uint8Array.of(...out, value)
}

function cidBytes (ref: Reference): Uint8Array {
  return concatBytes(CID_HEAD, fromHex(digestOf(ref)))
}

/** The first bytes of a CAR whose one root is `root`. */
export function carHeader (root: Reference): Uint8Array {
  return concatBytes(varint(HEADER_BYTES), HEADER_FRONT, cidBytes(root), HEADER_BACK)
}

/** One block. `bytes` are ArtifactBytes, and `ref` their Reference. */
export function carBlock (ref: Reference, bytes: Uint8Array): Uint8Array {
  return concatBytes(varint(CID_BYTES + bytes.length), cidBytes(ref), bytes)
}

const EMPTY = new Uint8Array(0)
/** bytes made ready for a block that a chunk of the source doesn't hold whole */
const FIRST_BYTES = 64 * 1024

/** Reads one CAR from its first byte to its last. Every method throws {@link CarFault}, and what the source throws. */
export class CarReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = EMPTY
  #at = 0
  #before = 0
  #ended = false

  constructor (source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** bytes read so far */
  get offset (): number {
    return this.#before + this.#at
  }

  /** The one root. To be called first, and once. */
  async header (): Promise<Reference> {
    const length = await this.#length(0)
    if (length === undefined) throw new CarFault('cut-off', 0, 'the file is empty')
    if (length !== HEADER_BYTES) throw new CarFault('header-malformed', 0, `not a CAR version 1 with one root: its header says ${length} bytes`)
    const bytes = await this.#take(HEADER_BYTES, 0)
    const cid = bytes.subarray(HEADER_FRONT.length, HEADER_FRONT.length + CID_BYTES)
    const fits = equalBytes(bytes.subarray(0, HEADER_FRONT.length), HEADER_FRONT) && equalBytes(bytes.subarray(HEADER_BYTES - HEADER_BACK.length), HEADER_BACK)
    const root = fits ? refOf(cid) : undefined
    if (root === undefined) throw new CarFault('header-malformed', 0, 'not the header of a CAR version 1 with one root of ours')
    return root
  }

  /** The next block, undefined at the end of the file. Anything behind the last block is a block that is malformed or cut off. */
  async next (): Promise<CarBlock | undefined> {
    const { offset } = this
    const length = await this.#length(offset)
    if (length === undefined) return undefined
    if (length > MAX_SECTION) throw new CarFault('too-large', offset, `a block says ${length} bytes; ${MAX_SECTION} are the most there can be`)
    if (length < MIN_SECTION) throw new CarFault('block-malformed', offset, `a block says ${length} bytes, fewer than any has`)
    const section = await this.#take(length, offset)
    const ref = refOf(section.subarray(0, CID_BYTES))
    if (ref === undefined) throw new CarFault('block-malformed', offset, 'a block\'s CID is not version 1, codec raw, sha2-256')
    return { offset, ref, bytes: section.subarray(CID_BYTES) }
  }

  /** Whether nothing comes any more. */
  async atEnd (): Promise<boolean> {
    return this.#at === this.#chunk.length && !(await this.#fill())
  }

  /** Tells the source that nobody reads on. */
  async close (): Promise<void> {
    if (!this.#ended) await this.#source.return?.()
    this.#ended = true
  }

  /** A varint of at most four bytes; undefined where the file ends before it. */
  async #length (offset: number): Promise<number | undefined> {
    let value = 0
    for (let i = 0; i < 4; i++) {
      if (this.#at === this.#chunk.length && !(await this.#fill())) {
        if (i === 0) return undefined
        throw new CarFault('cut-off', offset, 'the file ends inside a length')
      }
      const byte = this.#chunk[this.#at++] as number
      value += (byte & 0x7f) * 0x80 ** i
      if (byte > 0x7f) continue
      if (byte === 0 && i > 0) throw new CarFault('block-malformed', offset, 'a length has more bytes than it needs')
      return value
    }
    throw new CarFault('too-large', offset, 'a length of more than four bytes')
  }

  async #fill (): Promise<boolean> {
    this.#before += this.#chunk.length
    this.#chunk = EMPTY
    this.#at = 0
    while (this.#chunk.length === 0) {
      if (this.#ended) return false
      const got: IteratorResult<Uint8Array, unknown> = await this.#source.next()
      if (got.done === true) {
        this.#ended = true
        return false
      }
      this.#chunk = got.value
    }
    return true
  }

  /** `length` bytes: a view where one chunk holds them all. */
  async #take (length: number, offset: number): Promise<Uint8Array> {
    if (this.#chunk.length - this.#at >= length) return this.#chunk.subarray(this.#at, this.#at += length)
    // Grown as bytes arrive, not to what the length promises: a source may give a byte at a time, or end at once.
    let out = new Uint8Array(Math.min(length, FIRST_BYTES))
    let have = 0
    while (have < length) {
      if (this.#at === this.#chunk.length && !(await this.#fill())) throw new CarFault('cut-off', offset, `the file ends ${length - have} bytes before a block does`)
      const part = this.#chunk.subarray(this.#at, this.#at + length - have)
      this.#at += part.length
      if (have + part.length > out.length) {
        const larger = new Uint8Array(Math.min(length, Math.max(2 * out.length, have + part.length)))
        larger.set(out.subarray(0, have))
        out = larger
      }
      out.set(part, have)
      have += part.length
    }
    return out
  }
}

function refOf (cid: Uint8Array): Reference | undefined {
  return equalBytes(cid.subarray(0, CID_HEAD.length), CID_HEAD) ? referenceOfHash(toHex(cid.subarray(CID_HEAD.length)) as Hash) : undefined
}
