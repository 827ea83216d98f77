/** Lanes and their signed heads. Source: RULES L1, S1; protocols/publication.md. */
import { artifactCodec } from '../substrate/codec.js'
import { hash, hex, oneOf, ref, refOrNone, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'

export const INTERNAL = 0
export const PUBLISHED = 1

const laneShape = struct({
  domain_id: ref,
  principal: hash,
  manifest: ref,
  visibility: oneOf(INTERNAL, PUBLISHED),
  nonce: hex(32),
  previous: refOrNone
})
/** An append-only log of one key under one manifest. Its Reference is the LaneID. */
export type Lane = TypeOf<typeof laneShape>
export const laneCodec = artifactCodec(TAG.lane, 'Lane', laneShape)

const snapshotShape = struct({
  lane: ref,
  log_size: uint(Number.MAX_SAFE_INTEGER, 1),
  log_root: hash,
  logseq: uint()
})
/** A lane's head, once signed with purpose `snapshot` by the lane's principal. `logseq` is that of the last leaf. */
export type Snapshot = TypeOf<typeof snapshotShape>
export const snapshotCodec = artifactCodec(TAG.snapshot, 'Snapshot', snapshotShape)
