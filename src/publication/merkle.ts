/**
 * The Merkle tree over a lane's leaves: RFC 9162 §2.1 with SHA-256. leaf = SHA-256(00 ‖ leaf), node = SHA-256(01 ‖ left ‖ right), and a tree of
 * n leaves splits at the largest power of two below n.
 *
 * Which subtrees a proof names, and in which order, is written once, as spans: the maker hashes the spans, the verifier folds them. A path of
 * another length than its spans is refused before anything is hashed. Sizes reach 2^53-1, so no bit operation touches a position.
 *
 * Every `verify…` and `…Root(s)` function is total: a value out of range is a failed proof and never an exception.
 */
import { fromHex, toHex } from '../substrate/bytes.js'
import { sha256Bytes } from '../substrate/hasher.js'
import { LIMITS } from '../substrate/limits.js'
import type { Hash } from '../substrate/reference.js'

/** Bytes of one leaf (RULES R1). */
export const LEAF_LENGTH = 42
export const HASH_LENGTH = 32

/** The leaves `start .. start + count - 1`, where they are all the leaves under one node of the tree. */
export interface Span {
  readonly start: number
  readonly count: number
}

export interface InclusionProof {
  readonly leafHash: Hash
  readonly index: number
  readonly size: number
  /** Siblings from the leaf up to the root: exactly those of `inclusionSpans(index, size)`. */
  readonly path: readonly Hash[]
}

export interface ConsistencyProof {
  readonly first: number
  readonly second: number
  /** Exactly the hashes of `consistencySpans(first, second)`. */
  readonly path: readonly Hash[]
}

export interface RangeProof {
  /** The leaves from `first` on, packed, 42 bytes each. */
  readonly leaves: Uint8Array
  readonly first: number
  readonly size: number
  /** Exactly the hashes of `rangeSpans(first, count, size)`. */
  readonly path: readonly Hash[]
}

// ---------------------------------------------------------------------------------------------------------------- hashing

// Hashing is synchronous, so one input buffer each serves all calls: the hasher then gets one part and no array is made for a prefix.
const leafInput = new Uint8Array(1 + LEAF_LENGTH)
const nodeInput = new Uint8Array(1 + 2 * HASH_LENGTH)
nodeInput[0] = 1
const LEAF_PREFIX = Uint8Array.of(0)

/** SHA-256(01 ‖ left ‖ right), 32 bytes each. */
export function hashNode (left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_LENGTH)
  return sha256Bytes(nodeInput)
}

/** Root (32 bytes) of the tree over `count` packed 42-byte leaves, the first of which is number `from` in `leaves`. `count` is at least 1. */
export function hashLeaves (leaves: Uint8Array, from: number, count: number): Uint8Array {
  if (count === 1) {
    const at = from * LEAF_LENGTH
    for (let i = 0; i < LEAF_LENGTH; i++) leafInput[i + 1] = leaves[at + i] as number
    return sha256Bytes(leafInput)
  }
  const k = splitOf(count)
  const left = hashLeaves(leaves, from, k)
  return hashNode(left, hashLeaves(leaves, from + k, count - k))
}

/** SHA-256(00 ‖ leaf). Takes any length, as the RFC does; that a leaf has 42 bytes is the decoder's to say. */
export function leafHash (leaf: Uint8Array): Hash {
  return toHex(sha256Bytes(LEAF_PREFIX, leaf)) as Hash
}

/** Root of the empty tree: SHA-256 of nothing. No head can carry it (R1: log_size ≥ 1). */
export function emptyRoot (): Hash {
  return toHex(sha256Bytes(new Uint8Array(0))) as Hash
}

// ------------------------------------------------------------------------------------------------------------------ spans

/** The largest power of two below `n`, for 2 ≤ n ≤ 2^53-1. */
export function splitOf (n: number): number {
  const m = n - 1
  if (m < 0x100000000) return (1 << (31 - Math.clz32(m))) >>> 0
  return ((1 << (31 - Math.clz32(Math.floor(m / 0x100000000)))) >>> 0) * 0x100000000
}

/** Spans of an inclusion path (RFC 9162 §2.1.3.1), from the leaf's sibling up to the root's child. Asks for index < size. */
export function inclusionSpans (index: number, size: number): Span[] {
  const spans: Span[] = []
  let start = 0
  let count = size
  while (count > 1) {
    const k = splitOf(count)
    if (index - start < k) {
      spans.push({ start: start + k, count: count - k })
      count = k
    } else {
      spans.push({ start, count: k })
      start += k
      count -= k
    }
  }
  return spans.reverse()
}

/**
 * Spans of a consistency path: those of RFC 9162 §2.1.4.1, lowest first, with one departure. The RFC leaves out the first hash where the
 * verifier holds it already (`first` a power of two: it is the old root). Here it is always there, so that the path alone yields both roots and
 * a verifier whose own old root differs sees a fork (RULES E2) where it would else see only a proof that fails. For the same reason the path for
 * first = second is `[root]`, not empty. In every other case the path is the RFC's own. Asks for 1 ≤ first ≤ second.
 */
export function consistencySpans (first: number, second: number): Span[] {
  const spans: Span[] = []
  let start = 0
  let count = second
  while (first - start !== count) {
    const k = splitOf(count)
    if (first - start <= k) {
      spans.push({ start: start + k, count: count - k })
      count = k
    } else {
      spans.push({ start, count: k })
      start += k
      count -= k
    }
  }
  spans.push({ start, count })
  return spans.reverse()
}

/**
 * Spans of a range path: the largest subtrees that hold no leaf of the range, in the order of their leaves (all left of the range first, then
 * all right of it). At most 106 of them; none when the range is the whole log. Asks for count ≥ 1 and first + count ≤ size.
 */
export function rangeSpans (first: number, count: number, size: number): Span[] {
  const spans: Span[] = []
  const end = first + count
  const walk = (start: number, n: number): void => {
    if (start >= end || start + n <= first) {
      spans.push({ start, count: n })
    } else if (start < first || start + n > end) {
      const k = splitOf(n)
      walk(start, k)
      walk(start + k, n - k)
    }
  }
  walk(0, size)
  return spans
}

// ----------------------------------------------------------------------------------------------------------- verification

const HASH_TEXT = /^[0-9a-f]{64}$/

/** The path's hashes as bytes, or undefined unless there are exactly `length` well-formed ones. */
function pathBytes (path: readonly Hash[], length: number): Uint8Array[] | undefined {
  if (path.length !== length) return undefined
  const out: Uint8Array[] = []
  for (const hash of path) {
    if (!HASH_TEXT.test(hash)) return undefined
    out.push(fromHex(hash))
  }
  return out
}

function isCount (n: number): boolean {
  return Number.isSafeInteger(n) && n >= 1
}

/** The root that `path` leads to from the leaf hash (RFC 9162 §2.1.3.2), or undefined when index, size or the path's length can't be right. */
export function rootFromInclusion ({ leafHash, index, size, path }: InclusionProof): Hash | undefined {
  if (!isCount(size) || !Number.isSafeInteger(index) || index < 0 || index >= size || !HASH_TEXT.test(leafHash)) return undefined
  const spans = inclusionSpans(index, size)
  const siblings = pathBytes(path, spans.length)
  if (siblings === undefined) return undefined
  let hash = fromHex(leafHash)
  for (const [i, sibling] of siblings.entries()) {
    hash = (spans[i] as Span).start < index ? hashNode(sibling, hash) : hashNode(hash, sibling)
  }
  return toHex(hash) as Hash
}

/** True iff the leaf with `leafHash` is number `index` of the log with `size` leaves and root `root`. */
export function verifyInclusion (proof: InclusionProof & { readonly root: Hash }): boolean {
  return rootFromInclusion(proof) === proof.root
}

/**
 * The roots of the first `first` and of all `second` leaves that the path leads to (fold of RFC 9162 §2.1.4.2), or undefined when the sizes or
 * the path's length can't be right.
 *
 * When `secondRoot` is that of a head signed for `second` leaves, `firstRoot` is the root of that head's prefix, whatever the caller holds: if
 * it differs from the root of a log held at size `first`, the two logs fork below `first` (RULES E2). When `secondRoot` isn't the head's, the
 * path says nothing.
 */
export function consistencyRoots ({ first, second, path }: ConsistencyProof): { firstRoot: Hash, secondRoot: Hash } | undefined {
  if (!isCount(first) || !isCount(second) || first > second) return undefined
  const spans = consistencySpans(first, second)
  const hashes = pathBytes(path, spans.length)
  if (hashes === undefined) return undefined
  let older = hashes[0] as Uint8Array
  let newer = older
  for (let i = 1; i < hashes.length; i++) {
    const hash = hashes[i] as Uint8Array
    if ((spans[i] as Span).start < first) {
      const same = older === newer
      newer = hashNode(hash, newer)
      older = same ? newer : hashNode(hash, older)
    } else {
      newer = hashNode(newer, hash)
    }
  }
  return { firstRoot: toHex(older) as Hash, secondRoot: toHex(newer) as Hash }
}

/** True iff the log with `first` leaves and root `firstRoot` is a prefix of the one with `second` leaves and root `secondRoot`. */
export function verifyConsistency (proof: ConsistencyProof & { readonly firstRoot: Hash, readonly secondRoot: Hash }): boolean {
  const roots = consistencyRoots(proof)
  return roots !== undefined && roots.firstRoot === proof.firstRoot && roots.secondRoot === proof.secondRoot
}

/** The root that packed leaves and path lead to, for a range at any position, or undefined when bounds or the path's length can't be right. */
export function rootFromRange ({ leaves, first, size, path }: RangeProof): Hash | undefined {
  const held = leaves.length / LEAF_LENGTH
  if (!isCount(held) || !isCount(size) || !Number.isSafeInteger(first) || first < 0 || first >= size || held > size - first) return undefined
  const others = pathBytes(path, rangeSpans(first, held, size).length)
  if (others === undefined) return undefined
  const end = first + held
  let used = 0
  const walk = (start: number, count: number): Uint8Array => {
    if (start >= end || start + count <= first) return others[used++] as Uint8Array
    if (start >= first && start + count <= end) return hashLeaves(leaves, start - first, count)
    const k = splitOf(count)
    const left = walk(start, k)
    return hashNode(left, walk(start + k, count - k))
  }
  return toHex(walk(0, size)) as Hash
}

/**
 * True iff `leaves` are the leaves from `first` on of the log with `size` leaves and root `root`, as a LeafRange object must show it: 1 to 4,096
 * leaves, `first` a multiple of 4,096.
 */
export function verifyRange (proof: RangeProof & { readonly root: Hash }): boolean {
  if (proof.first % LIMITS.rangeLeaves !== 0 || proof.leaves.length > LIMITS.rangeLeaves * LEAF_LENGTH) return false
  return rootFromRange(proof) === proof.root
}
