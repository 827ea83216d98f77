/**
 * Bytes on disk of the pack store, version 1.
 *
 * A pack is records one after the other: u32 BE length of the ArtifactBytes ‖ 32-byte digest ‖ ArtifactBytes. So a pack says by itself what it
 * holds and the index could be built anew by walking it. No checksum: the digest is one.
 *
 * Index, one entry a block: 'b' digest → u32 pack ‖ u32 offset of the record ‖ u32 payload length [‖ u32 type tag].
 */
import { readU32, toHex, writeHex, writeU32, writeU64 } from './bytes.js'
import { LIMITS } from './limits.js'
import { KEYSPACE } from './ports.js'
import { digestOf, type Hash, type Reference, referenceOfHash } from './reference.js'

/** What the index knows about a block without reading it. */
export interface BlockStat {
  /** undefined = untagged */
  readonly typeTag: number | undefined
  /** bytes of the payload */
  readonly length: number
}

export interface IndexEntry extends BlockStat {
  readonly pack: number
  /** where the record starts in its pack */
  readonly offset: number
}

/** Bytes in front of the ArtifactBytes of a record. */
export const RECORD_HEAD = 36
/** where in it the digest stands */
export const RECORD_DIGEST = 4
const UNTAGGED_HEADER = 9
const TAGGED_HEADER = 13

/** Bytes of an artifact with such a payload. */
export function artifactLength (typeTag: number | undefined, payloadLength: number): number {
  return payloadLength + (typeTag === undefined ? UNTAGGED_HEADER : TAGGED_HEADER)
}

/** Writes the ArtifactBytes into `out`, which has exactly their length: no array for the header, one copy of the payload. */
export function writeArtifact (out: Uint8Array, typeTag: number | undefined, payload: Uint8Array): void {
  let at = 1
  out[0] = 0
  if (typeTag !== undefined) {
    out[0] = 1
    writeU32(out, 1, typeTag)
    at = 5
  }
  writeU64(out, at, payload.length)
  out.set(payload, at + 8)
}

/** Fills in the first 36 bytes of a record. */
export function writeRecordHead (record: Uint8Array, digest: Hash): void {
  writeU32(record, 0, record.length - RECORD_HEAD)
  writeHex(record, RECORD_DIGEST, digest)
}

export function encodeEntry ({ pack, offset, typeTag, length }: IndexEntry): Uint8Array {
  const out = new Uint8Array(typeTag === undefined ? 12 : 16)
  writeU32(out, 0, pack)
  writeU32(out, 4, offset)
  writeU32(out, 8, length)
  if (typeTag !== undefined) writeU32(out, 12, typeTag)
  return out
}

/** undefined for bytes that are no entry: a damaged index then means a block that isn't held, never a huge read. */
export function decodeEntry (bytes: Uint8Array): IndexEntry | undefined {
  if (bytes.length !== 12 && bytes.length !== 16) return undefined
  const length = readU32(bytes, 8)
  if (length > LIMITS.payloadBytes) return undefined
  return { pack: readU32(bytes, 0), offset: readU32(bytes, 4), length, typeTag: bytes.length === 16 ? readU32(bytes, 12) : undefined }
}

/** Prefix byte and 32-byte digest. */
export function referenceKey (prefix: number, ref: Reference): Uint8Array {
  const key = new Uint8Array(33)
  key[0] = prefix
  writeHex(key, 1, digestOf(ref))
  return key
}

/** The Reference in a key of 33 bytes, or undefined when the key has another length. */
export function referenceOfKey (key: Uint8Array): Reference | undefined {
  return key.length === 33 ? referenceOfHash(toHex(key.subarray(1)) as Hash) : undefined
}

/** Everything below this point of this pack, and everything in packs of smaller number, is durable. */
export interface PackState {
  readonly pack: number
  readonly length: number
}

export const PACK_STATE_KEY = new Uint8Array([KEYSPACE.packs])

export function encodePackState (s: PackState): Uint8Array {
  const out = new Uint8Array(8)
  writeU32(out, 0, s.pack)
  writeU32(out, 4, s.length)
  return out
}

export function decodePackState (bytes: Uint8Array): PackState | undefined {
  return bytes.length === 8 ? { pack: readU32(bytes, 0), length: readU32(bytes, 4) } : undefined
}
