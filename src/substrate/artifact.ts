/**
 * ArtifactBytes = u8 has_tag (0|1) ‖ [u32 BE type_tag] ‖ u64 BE length ‖ payload. The tag is part of identity.
 * Source: protocols/substrate.md S-1.
 */
import { concatBytes, readU32, readU64, writeU32, writeU64 } from './bytes.js'
import { MalformedError } from './errors.js'
import { sha256Hex } from './hasher.js'
import { LIMITS } from './limits.js'
import { recalled } from './recall.js'
import { type Reference, referenceOfHash } from './reference.js'

export interface Artifact {
  /** undefined = untagged, which is a value of its own, distinct from every tag. */
  readonly typeTag: number | undefined
  readonly payload: Uint8Array
}

const UNTAGGED_HEADER = 9
const TAGGED_HEADER = 13

/** The bytes in front of a payload of `length` bytes. */
export function artifactHeader (typeTag: number | undefined, length: number): Uint8Array {
  const out = new Uint8Array(typeTag === undefined ? UNTAGGED_HEADER : TAGGED_HEADER)
  let at = 1
  if (typeTag !== undefined) {
    out[0] = 1
    writeU32(out, 1, typeTag)
    at = 5
  }
  writeU64(out, at, length)
  return out
}

export const encodeArtifact: (a: Artifact) => Uint8Array = recalled((a) => concatBytes(artifactHeader(a.typeTag, a.payload.length), a.payload))

/** Strict: exact length, no trailing byte, payload within the block limit. The payload is a view of `bytes`. Throws `MalformedError`. */
export const decodeArtifact: (bytes: Uint8Array) => Artifact = recalled((bytes) => {
  const tagged = bytes[0]
  if (tagged !== 0 && tagged !== 1) throw new MalformedError('an artifact starts with byte 0 or 1')
  const header = tagged === 1 ? TAGGED_HEADER : UNTAGGED_HEADER
  if (bytes.length < header) throw new MalformedError('an artifact is cut off inside its header')
  const typeTag = tagged === 1 ? readU32(bytes, 1) : undefined
  const length = readU64(bytes, header - 8)
  if (length > LIMITS.payloadBytes) throw new MalformedError(`an artifact's payload has at most ${LIMITS.payloadBytes} bytes, this one says ${length}`)
  if (bytes.length !== header + length) throw new MalformedError(`an artifact says ${length} bytes of payload and has ${bytes.length - header}`)
  return { typeTag, payload: bytes.subarray(header) }
})

/** The Reference of an artifact given by its parts; the payload is not copied. */
export function referenceOf (typeTag: number | undefined, payload: Uint8Array): Reference {
  return referenceOfHash(sha256Hex(artifactHeader(typeTag, payload.length), payload))
}

/** As {@link referenceOf}. */
export const referenceOfArtifact: (a: Artifact) => Reference = recalled((a) => referenceOf(a.typeTag, a.payload))

/** The Reference of encoded ArtifactBytes. */
export function referenceOfArtifactBytes (bytes: Uint8Array): Reference {
  return referenceOfHash(sha256Hex(bytes))
}

/** As {@link decodeArtifact}; undefined when `bytes` aren't one. */
export function artifactIn (bytes: Uint8Array): Artifact | undefined {
  try {
    return decodeArtifact(bytes)
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}
