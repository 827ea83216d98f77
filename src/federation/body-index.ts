/** Where in a log each body hash stands. Made when first asked for and grown with the log, so that a request costs no walk over all leaves. */
import { toHex } from '../substrate/bytes.js'
import type { Hash } from '../substrate/reference.js'
import type { LeafLog } from '../publication/leaf-log.js'

interface Index {
  size: number
  readonly at: Map<Hash, number>
  /** the further places of a hash that stands more than once: only a publisher who repeats a salt makes those */
  readonly more: Map<Hash, number[]>
}

const indexes = new WeakMap<LeafLog, Index>()

/** Indexes of the leaves of `log` that name `hash`, ascending. */
export function placesOf (log: LeafLog, hash: Hash): readonly number[] {
  let index = indexes.get(log)
  if (index === undefined || index.size > log.size) indexes.set(log, index = { size: 0, at: new Map(), more: new Map() })
  for (; index.size < log.size; index.size++) {
    const found = toHex(log.leaf(index.size).subarray(10)) as Hash
    if (!index.at.has(found)) index.at.set(found, index.size)
    else index.more.set(found, [...index.more.get(found) ?? [], index.size])
  }
  const first = index.at.get(hash)
  return first === undefined ? [] : [first, ...index.more.get(hash) ?? []]
}
