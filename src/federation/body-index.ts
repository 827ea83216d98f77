/** Where in a log each body hash stands. Made when first asked for and grown with the log, so that a request costs no walk over all leaves. */
import { readU16, toHex } from '../substrate/bytes.js'
import type { Hash } from '../substrate/reference.js'
import { hasBody } from '../publication/leaf.js'
import type { LeafLog } from '../publication/leaf-log.js'

interface Index {
  size: number
  /** an array for a hash that stands more than once: only a publisher who repeats a salt makes those */
  readonly at: Map<Hash, number | number[]>
}

const indexes = new WeakMap<LeafLog, Index>()

/** Indexes of the leaves of `log` whose body has `hash`, ascending. Leaves without a body (ticks: all have one hash) name none. */
export function placesOf (log: LeafLog, hash: Hash): readonly number[] {
  let index = indexes.get(log)
  if (index === undefined || index.size > log.size) indexes.set(log, index = { size: 0, at: new Map() })
  for (; index.size < log.size; index.size++) {
    const leaf = log.leaf(index.size)
    if (!hasBody(readU16(leaf, 0))) continue
    const found = toHex(leaf.subarray(10)) as Hash
    const before = index.at.get(found)
    if (before === undefined) index.at.set(found, index.size)
    else if (typeof before === 'number') index.at.set(found, [before, index.size])
    else before.push(index.size)
  }
  const places = index.at.get(hash) ?? []
  return typeof places === 'number' ? [places] : places
}
