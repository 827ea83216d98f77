/**
 * The strict DAG-CBOR codec. What a decoder must come to is: read, check the shape, encode again, and the bytes are the same. So whatever the reading
 * lets through (long heads, unsorted or repeated keys) fails here, and nothing depends on the reader for that. Any throw is `rejected: malformed`.
 * Source: protocols/substrate.md S-4.
 */
import { type Artifact, referenceOfArtifact } from './artifact.js'
import { CborWriter, readCbor } from './cbor.js'
import { MalformedError } from './errors.js'
import { LIMITS } from './limits.js'
import { recalled } from './recall.js'
import type { Reference } from './reference.js'
import { inside, type Shape } from './shape.js'
import { tagName } from './type-tags.js'

/** A buffer for all: most objects are small, and making one anew for each was a twentieth of a busy node's time. Taken while in use, for a shape may encode another. */
let spare: CborWriter | undefined = new CborWriter()

/** Writes `value` and has `use` look at it. Throws `MalformedError` when the value breaks its own shape. */
function written<T, R> (shape: Shape<T>, value: T, use: (out: CborWriter) => R): R {
  const out = spare ?? new CborWriter()
  spare = undefined
  try {
    shape.encode(value, out)
    return use(out)
  } finally {
    out.reset()
    spare = out
  }
}

/** Canonical bytes of `value`. Throws `MalformedError` when the value breaks its own shape. */
export function encodeCbor<T> (shape: Shape<T>, value: T, name: string): Uint8Array {
  try {
    return written(shape, value, (out) => out.finish())
  } catch (err) {
    throw inside(name, err)
  }
}

/** Decodes canonical bytes only. What comes out shares no memory with `bytes`. Throws `MalformedError`. */
export function decodeCbor<T> (shape: Shape<T>, bytes: Uint8Array, name: string, maxBytes: number = LIMITS.payloadBytes): T {
  if (bytes.length > maxBytes) throw new MalformedError(`${name}: ${bytes.length} bytes, at most ${maxBytes} are allowed`)
  let value: T
  let canonical: boolean
  try {
    value = shape.decode(readCbor(bytes))
    canonical = written(shape, value, (out) => out.wrote(bytes))
  } catch (err) {
    throw err instanceof MalformedError ? inside(name, err) : new MalformedError(`${name}: not DAG-CBOR of this shape`, { cause: err })
  }
  if (!canonical) throw new MalformedError(`${name}: not in canonical form`)
  return value
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

export function artifactCodec<T extends object> (tag: number, name: string, shape: Shape<T>, maxBytes: number = LIMITS.payloadBytes): ArtifactCodec<T> {
  const encode = recalled((value: T): Uint8Array => {
    const out = encodeCbor(shape, value, name)
    if (out.length > maxBytes) throw new MalformedError(`${name}: ${out.length} bytes, at most ${maxBytes} are allowed`)
    return out
  })
  const decode = recalled((payload: Uint8Array): T => decodeCbor(shape, payload, name, maxBytes))
  const artifact = recalled((value: T): Artifact => ({ typeTag: tag, payload: encode(value) }))
  return {
    tag,
    name,
    encode,
    decode,
    from (artifact) {
      if (artifact.typeTag !== tag) throw new MalformedError(`expected a ${name}, got ${tagName(artifact.typeTag)}`)
      return decode(artifact.payload)
    },
    artifact,
    reference: (value) => referenceOfArtifact(artifact(value))
  }
}
