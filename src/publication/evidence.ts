/** Compact proof that one key signed two heads of one lane that differ at a leaf. Source: RULES E1; SCHEMA ForkEvidence. */
import { sha256Bytes } from '../substrate/hasher.js'
import { fromHex, toHex } from '../substrate/bytes.js'
import { artifactCodec } from '../substrate/codec.js'
import { LIMITS } from '../substrate/limits.js'
import type { Hash, PublicKey, Reference } from '../substrate/reference.js'
import { checked, hash, hex, list, publicKey, ref, struct, type TypeOf, uint } from '../substrate/shape.js'
import { signatureHolds } from '../substrate/signature.js'
import { TAG } from '../substrate/type-tags.js'
import { type Snapshot, snapshotCodec } from './lane.js'
import { verifyInclusion } from './merkle.js'

const branch = struct({
  log_size: uint(Number.MAX_SAFE_INTEGER, 1),
  log_root: hash,
  logseq: uint(),
  signature: hex(64),
  leaf_hash: hash,
  path: list(hash, { max: LIMITS.pathHashes })
})
export type Branch = TypeOf<typeof branch>

const shape = struct({ lane: ref, public_key: publicKey, index: uint(), a: branch, b: branch })
export type ForkEvidence = TypeOf<typeof shape>

export function branchSnapshot (lane: Reference, b: Branch): Snapshot {
  return { lane, log_size: b.log_size, log_root: b.log_root, logseq: b.logseq }
}

export const forkEvidenceCodec = artifactCodec(TAG.forkEvidence, 'ForkEvidence', checked(shape, (e) => {
  const a = snapshotCodec.reference(branchSnapshot(e.lane, e.a))
  const b = snapshotCodec.reference(branchSnapshot(e.lane, e.b))
  return a < b ? undefined : 'branch a to be the one with the smaller Snapshot Reference'
}))

/** E1: what each side must show. Whether the key is one of the domain's and the lane ours to follow is the judge's question. */
export function evidenceHolds (e: ForkEvidence): boolean {
  if (e.a.leaf_hash === e.b.leaf_hash) return false
  return [e.a, e.b].every((side) => {
    if (e.index >= side.log_size) return false
    const target = snapshotCodec.reference(branchSnapshot(e.lane, side))
    return verifyInclusion({ leafHash: side.leaf_hash, index: e.index, size: side.log_size, path: side.path, root: side.log_root }) &&
      signatureHolds({ target, purpose: 'snapshot', public_key: e.public_key, signature: side.signature })
  })
}

/** The two sides in the order that the format asks for. */
export function makeEvidence (lane: Reference, key: PublicKey, index: number, x: Branch, y: Branch): ForkEvidence {
  const swap = snapshotCodec.reference(branchSnapshot(lane, x)) > snapshotCodec.reference(branchSnapshot(lane, y))
  return { lane, public_key: key, index, a: swap ? y : x, b: swap ? x : y }
}

/** principal_id = HASH(public_key). */
export function principalId (key: PublicKey): Hash {
  return toHex(sha256Bytes(fromHex(key))) as Hash
}
