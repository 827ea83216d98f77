/** Moves of made-up domains (M8). */
import { type DomainMoved, domainMovedCodec } from '../../src/authority/domain-moved.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Item, itemOf, type Made, refFrom, signed, type TestDomain, type TestKey } from './authority-fixtures.js'

export interface MoveOptions {
  /** whose roots sign; default: the newest entry made */
  under?: Reference
  /** seed of the DomainID that it names */
  to?: string
  /** default: all keys of the entry's root set */
  signers?: readonly TestKey[]
  fields?: Partial<DomainMoved>
}

/** A move with its signatures, kept among what the domain made. */
export function moveOf (d: TestDomain, { under = d.entry, to = 'another domain', signers, fields }: MoveOptions = {}): Made {
  const item = itemOf(domainMovedCodec.artifact({ domain_id: d.domain, root_entry: under, to: refFrom(to), ...fields }))
  const items: Item[] = [item, ...(signers ?? d.roots(under).keys).map((key) => signed(key, 'domain-moved', item.ref))]
  d.items.push(...items)
  return { ref: item.ref, items }
}
