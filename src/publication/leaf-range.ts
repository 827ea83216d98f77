/** A piece of a lane's log that proves itself: 1 to 4,096 leaves with the path to a signed head. Source: SCHEMA LeafRange; RULES B3. */
import { artifactCodec } from '../substrate/codec.js'
import { LIMITS } from '../substrate/limits.js'
import { bytes, checked, hash, list, ref, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { LEAF_BYTES } from './leaf.js'

const shape = struct({
  head: ref,
  first: uint(),
  leaves: bytes(LIMITS.rangeLeaves * LEAF_BYTES, LEAF_BYTES),
  // both edges of the tree
  path: list(hash, { max: 2 * LIMITS.pathHashes })
})
export type LeafRange = TypeOf<typeof shape>

export const leafRangeCodec = artifactCodec(TAG.leafRange, 'LeafRange', checked(shape, (r) => {
  if (r.leaves.length % LEAF_BYTES !== 0) return `whole leaves of ${LEAF_BYTES} bytes`
  return r.first % LIMITS.rangeLeaves === 0 ? undefined : `first to be a multiple of ${LIMITS.rangeLeaves}`
}))
