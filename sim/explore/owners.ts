/** What owners and thieves of a random federation do. */
import type { Random } from '../world/random.js'

/** One entry of a timeline as in the file. */
export type Entry = Record<string, unknown>

/** One domain as the grammar drew it. */
export interface Owned {
  readonly name: string
  /** its principals, also those that come later */
  readonly principals: readonly string[]
  /** its honest nodes */
  readonly nodes: readonly string[]
  /** the other domains */
  readonly others: readonly string[]
}

export interface Planned { readonly at: number, readonly entry: Entry }

const ROLES = [['federate', 'publish'], ['federate', 'produce'], ['publish'], ['federate'], ['audit']]
const SCOPES = [[''], ['docs'], ['docs', 'media'], ['notes']]

/** One act of an owner at one of the domain's nodes. What the rules forbid is refused when its time comes. */
export function ownersAct (random: Random, domain: Owned, at: number): Planned[] {
  const node = random.pick(domain.nodes)
  const key = random.pick(domain.principals)
  const keep = random.pick<unknown>(['held', 'held', 'nothing', { until: `${random.below(at + 1)}s` }])
  const one = (entry: Entry): Planned[] => [{ at, entry: { node, ...entry } }]
  switch (random.below(13)) {
    case 0:
    case 1: return one({ grant: { to: key } })
    case 2:
    case 3: return one({ grant: { to: key, roles: random.pick(ROLES), scope: random.pick(SCOPES) } })
    case 4: return one({ revoke: { key, keep } })
    case 5: return one({ close: { key, keep } })
    case 6: return one({ 'rotate-key': { key, keep } })
    case 7: return one({ anchor: {} })
    case 8: return one({ renew: { fresh: random.below(2) === 0, base: random.pick(['common', 'ours']) } })
    case 9: return one({ erase: { name: random.pick(['docs/a', 'docs/b', 'docs', 'notes']) } })
    case 10: return one({ vouch: { for: key } })
    case 11: {
      if (domain.others.length === 0) return one({ anchor: {} })
      const decision = random.pick(['accept', 'accept', 'limit', 'defer', 'reject'])
      return one({ admit: { domain: random.pick(domain.others), decision, ...decision === 'accept' || decision === 'limit' ? { scope: random.pick(SCOPES) } : {} } })
    }
    default: {
      const as = `${domain.name}-${at}`
      return [...one({ export: { as } }), { at: at + 1 + random.below(30), entry: { node: random.pick(domain.nodes), import: { stick: as } } }]
    }
  }
}

/** The roots say that the domain goes on as another one. */
export function moving (random: Random, domain: Owned, at: number): Planned {
  return { at, entry: { node: random.pick(domain.nodes), 'move-domain': { to: random.pick(domain.others) } } }
}

/** A thief of the domain comes by a key. */
export function theft (random: Random, domain: Owned, thief: string, adversary: string, at: number): Planned {
  const key = adversary === 'weak-key' ? 'root-key' : adversary === 'root-thief' ? random.pick(['root-key', 'roots']) : adversary === 'role-forger' ? random.pick([...domain.principals, 'roots']) : random.pick(domain.principals)
  return { at, entry: { steal: { by: thief, of: domain.name, key } } }
}

/**
 * After everybody heard of everything, the roots that were committed to take over and go on from the last manifest of the domain's own people: that
 * settles whatever forked, unless two rotations opened one commitment, of which there is no other.
 */
export function settled (domain: Owned, at: string): Entry {
  return { at, node: domain.nodes[0], 'rotate-roots': { base: 'ours' } }
}
