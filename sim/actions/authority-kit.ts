/** What several actions of a domain's owner need. */
import type { Keep } from '../../src/authority/amend.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { showQuantity } from '../scenario/quantity.js'
import { choice, flag, map, named, quantity, type Schema } from '../scenario/schema-parts.js'
import type { Base, Papers } from '../world/desk.js'
import type { World } from '../world/world.js'

export const PRINCIPAL = named('principal', 'a principal of the node\'s domain')

/** `held`, `nothing`, or what was published by a time. */
export type KeepArg = 'held' | 'nothing' | { readonly until: number }

export const KEEP: Schema = {
  anyOf: [{ enum: ['held', 'nothing'] }, map({ until: quantity('time', 'what was published by then stays valid') }, ['until'])],
  default: 'held',
  description: 'what stays valid: held (what the node holds), nothing, or {until: TIME}'
}

/** What the roots certify when they sign: which root_key, and from which manifest on. */
export interface EpochArgs { readonly fresh: boolean, readonly base: Base }

export const EPOCH = map({
  fresh: flag('false: the same root_key again', true),
  base: choice(['common', 'ours'], 'common', 'common (the newest manifest in force) or ours (the newest that the domain\'s own people wrote)')
})

export function sayEpoch ({ fresh, base }: EpochArgs): string {
  return `certify ${fresh ? 'a fresh root_key' : 'the same root_key again'}, from ${base === 'ours' ? 'the newest manifest of the domain\'s own people' : 'the newest manifest in force'} on`
}

export function sayKeep (keep: KeepArg): string {
  if (keep === 'held') return 'what is held stays valid'
  return keep === 'nothing' ? 'nothing stays valid' : `what was published by ${showQuantity('time', keep.until)} stays valid`
}

/** What the owner says of the lanes of one principal. */
export function keepFor (world: World, { k }: Papers, keep: KeepArg): (id: Hash) => Keep {
  return (id) => typeof keep === 'string' ? keep : knownAt(world, k, id, keep.until)
}

/** The greatest head of each of its lanes that somebody could have written down by then. */
function knownAt (world: World, k: DomainKnowledge, id: Hash, t: number): ReadonlyMap<Reference, Reference> {
  const sizes = new Map<Reference, number>()
  const out = new Map<Reference, Reference>()
  for (const { domain, lane, head, size, at } of world.oracle.acknowledged) {
    if (domain !== k.domain || at > t || k.lanes.get(lane)?.lane.principal !== id || size <= (sizes.get(lane) ?? 0)) continue
    sizes.set(lane, size)
    out.set(lane, head)
  }
  // A node lets go of old heads that nothing names; the paper still has them.
  for (const head of out.values()) for (const artifact of world.oracle.heads.get(head) ?? []) k.admit(artifact)
  return out
}
