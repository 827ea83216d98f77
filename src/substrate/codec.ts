/**
 * The strict DAG-CBOR codec. The library alone isn't strict enough (unsorted keys, long integers and bad UTF-8 got through), so decode = depth
 * guard, decode, shape check, re-encode, compare bytes. Any throw is `rejected: malformed`. Source: protocols/substrate.md S-4.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { decode, type Token, Tokenizer } from 'cborg'
import { type Artifact, referenceOf } from './artifact.js'
import { equalBytes, fromUtf8 } from './bytes.js'
import { MalformedError } from './errors.js'
import { LIMITS } from './limits.js'
import type { Reference } from './reference.js'
import type { Shape } from './shape.js'
import { tagName } from './type-tags.js'

/** Canonical bytes of `value`. Throws `MalformedError` when the value breaks its own shape. */
export function encodeCbor<T> (shape: Shape<T>, value: T, name: string): Uint8Array {
  return dagCbor.encode(shape.encode(value, name))
}

/** Decodes canonical bytes only. Throws `MalformedError`. */
export function decodeCbor<T> (shape: Shape<T>, bytes: Uint8Array, name: string, maxBytes: number = LIMITS.payloadBytes): T {
  if (bytes.length > maxBytes) throw new MalformedError(`${name}: ${bytes.length} bytes, at most ${maxBytes} are allowed`)
  guard(bytes, name)
  let value: T
  let again: Uint8Array
  try {
    value = shape.decode(decode(bytes, { ...dagCbor.decodeOptions, tokenizer: new ExactText(bytes) }), name)
    again = dagCbor.encode(shape.encode(value, name))
  } catch (err) {
    if (err instanceof MalformedError) throw err
    throw new MalformedError(`${name}: not canonical DAG-CBOR`, { cause: err })
  }
  if (!equalBytes(again, bytes)) throw new MalformedError(`${name}: not in canonical form`)
  return value
}

/**
 * The library's tokens, with text as its bytes say. The library takes a leading U+FEFF for a byte order mark and drops it, so what we had encoded
 * ourselves came back as something else.
 */
class ExactText extends Tokenizer {
  constructor (bytes: Uint8Array) {
    // A plain view: of a Buffer, byte strings would come out as Buffers that share its memory.
    super(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), dagCbor.decodeOptions)
  }

  override next (): Token {
    const start = this.pos()
    const token = super.next()
    const head = this.data[start] as number
    if (head >> 5 !== 3) return token
    const info = head & 31
    const from = start + (info < 24 ? 1 : 1 + (1 << (info - 24)))
    if (this.data[from] === 0xef && this.data[from + 1] === 0xbb && this.data[from + 2] === 0xbf) token.value = fromUtf8(this.data.subarray(from, this.pos()))
    return token
  }
}

/**
 * Walks the item heads before anything is built: bounds depth, refuses indefinite lengths, tags, floats and null, and a declared length that the
 * remaining bytes can't hold, so that nothing is ever allocated on a peer's word.
 */
function guard (b: Uint8Array, name: string): void {
  const bad = (what: string): never => { throw new MalformedError(`${name}: ${what}`) }
  // open[i] = items still to read in the container at depth i
  const open: number[] = [1]
  let at = 0
  while (open.length > 0) {
    const top = open.length - 1
    if (open[top] === 0) {
      open.pop()
      continue
    }
    ;(open[top] as number)--
    if (at >= b.length) bad('ends in the middle of an item')
    const head = b[at++] as number
    const major = head >> 5
    const info = head & 31
    let length = info
    if (info >= 24) {
      if (info > 27) bad('indefinite length or reserved head')
      const n = 1 << (info - 24)
      if (at + n > b.length) bad('ends in the middle of a head')
      length = 0
      for (let i = 0; i < n; i++) length = length * 256 + (b[at + i] as number)
      at += n
    }
    if (major === 6) bad('tags are not allowed')
    if (major === 7 && head !== 0xf4 && head !== 0xf5) bad('only true and false are allowed as simple values')
    if (major === 1) bad('negative integers are not allowed')
    if (major === 2 || major === 3) {
      if (length > b.length - at) bad('a string is longer than the bytes that are there')
      at += length
    }
    if (major === 4 || major === 5) {
      const items = major === 5 ? length * 2 : length
      if (items > b.length - at) bad('a container has more items than the bytes that are there')
      if (open.length > LIMITS.cborDepth) bad(`nested deeper than ${LIMITS.cborDepth}`)
      open.push(items)
    }
  }
  if (at !== b.length) bad('bytes after the end')
}

/** An object kind that lives as a tagged artifact. */
export interface ArtifactCodec<T> {
  readonly tag: number
  readonly name: string
  /** Payload bytes. */
  encode: (value: T) => Uint8Array
  /** Strict. Throws `MalformedError`. */
  decode: (payload: Uint8Array) => T
  /** As {@link decode}, from an artifact; a wrong tag is malformed too (THREATS 2). */
  from: (artifact: Artifact) => T
  artifact: (value: T) => Artifact
  /** The Reference of the artifact that holds `value`. */
  reference: (value: T) => Reference
}

export function artifactCodec<T> (tag: number, name: string, shape: Shape<T>, maxBytes: number = LIMITS.payloadBytes): ArtifactCodec<T> {
  const encode = (value: T): Uint8Array => {
    const out = encodeCbor(shape, value, name)
    if (out.length > maxBytes) throw new MalformedError(`${name}: ${out.length} bytes, at most ${maxBytes} are allowed`)
    return out
  }
  const decode = (payload: Uint8Array): T => decodeCbor(shape, payload, name, maxBytes)
  return {
    tag,
    name,
    encode,
    decode,
    from (artifact) {
      if (artifact.typeTag !== tag) throw new MalformedError(`expected a ${name}, got ${tagName(artifact.typeTag)}`)
      return decode(artifact.payload)
    },
    artifact: (value) => ({ typeTag: tag, payload: encode(value) }),
    reference: (value) => referenceOf(tag, encode(value))
  }
}
