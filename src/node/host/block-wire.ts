/**
 * The wire of /diad/block/1. All integers are big-endian; every frame begins with u32 length of what follows.
 *
 *   request   u32 id ‖ 34-byte DomainID ‖ u16 count ‖ count × 34-byte Reference          1 ≤ count ≤ 512
 *   cancel    u32 id                                                                     ends that request early
 *   response  u32 id ‖ u8 flags ‖ records                                                flags: 1 = last frame of this request
 *   record    u16 index ‖ u32 length ‖ length bytes of ArtifactBytes                     index = position in the request, each at most once
 *
 * A server ends a response frame once it holds 512 KiB, so a frame has at most that and one artifact more. Requests of one stream are answered
 * in their order. What isn't held, isn't held for this domain, was erased or may not be shown is absent, by one path (RULES V3): there is no
 * "not found". A cancelled request gets its last frame too, unless it had been sent already.
 */
import { readU16, readU32, writeU16, writeU32 } from '../../substrate/bytes.js'
import { type Reference, REFERENCE_LENGTH, referenceBytes, referenceFromBytes } from '../../substrate/reference.js'
import { type HostLimits, Violation } from './budgets.js'

export const LAST = 1
const REQUEST_HEAD = 4 + REFERENCE_LENGTH + 2
const CANCEL_LENGTH = 4
export const RESPONSE_HEAD = 5
export const RECORD_HEAD = 6

export interface BlockRequest {
  readonly id: number
  readonly domain: Reference
  readonly refs: readonly Reference[]
}

export function maxRequestBytes (limits: HostLimits): number {
  return REQUEST_HEAD + limits.blockRefs * REFERENCE_LENGTH
}

export function maxResponseBytes (limits: HostLimits): number {
  return RESPONSE_HEAD + limits.blockFrameBytes + RECORD_HEAD + limits.artifactBytes
}

/** A whole request frame with its length. */
export function encodeRequest ({ id, domain, refs }: BlockRequest): Uint8Array {
  const out = new Uint8Array(4 + REQUEST_HEAD + refs.length * REFERENCE_LENGTH)
  writeU32(out, 0, out.length - 4)
  writeU32(out, 4, id)
  out.set(referenceBytes(domain), 8)
  writeU16(out, 8 + REFERENCE_LENGTH, refs.length)
  refs.forEach((ref, i) => out.set(referenceBytes(ref), 4 + REQUEST_HEAD + i * REFERENCE_LENGTH))
  return out
}

export function encodeCancel (id: number): Uint8Array {
  const out = new Uint8Array(8)
  writeU32(out, 0, CANCEL_LENGTH)
  writeU32(out, 4, id)
  return out
}

/** A request, or the id of one that is cancelled. Throws `Violation` or `MalformedError`. */
export function decodeRequest (bytes: Uint8Array): BlockRequest | number {
  if (bytes.length === CANCEL_LENGTH) return readU32(bytes, 0)
  if (bytes.length < REQUEST_HEAD) throw new Violation(`sent a block request of ${bytes.length} bytes`)
  const count = readU16(bytes, REQUEST_HEAD - 2)
  if (count === 0 || bytes.length !== REQUEST_HEAD + count * REFERENCE_LENGTH) throw new Violation(`sent a block request for ${count} references in ${bytes.length} bytes`)
  const refs: Reference[] = []
  for (let at = REQUEST_HEAD; at < bytes.length; at += REFERENCE_LENGTH) refs.push(referenceFromBytes(bytes.subarray(at, at + REFERENCE_LENGTH)))
  return { id: readU32(bytes, 0), domain: referenceFromBytes(bytes.subarray(4, 4 + REFERENCE_LENGTH)), refs }
}

/** Length and head of a response frame whose records have `recordBytes` bytes in all. */
export function responseHead (id: number, last: boolean, recordBytes: number): Uint8Array {
  const out = new Uint8Array(4 + RESPONSE_HEAD)
  writeU32(out, 0, RESPONSE_HEAD + recordBytes)
  writeU32(out, 4, id)
  out[8] = last ? LAST : 0
  return out
}

export function recordHead (index: number, length: number): Uint8Array {
  const out = new Uint8Array(RECORD_HEAD)
  writeU16(out, 0, index)
  writeU32(out, 2, length)
  return out
}
