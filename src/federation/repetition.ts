/** Reports about one domain and one peer, each made once while neither side's state changes: saying it again tells nobody anything. */
import type { Hash, Reference } from '../substrate/reference.js'

/** The digests on both sides. While neither changes, asking again brings what asking brought. */
export interface Pair { readonly theirs: Hash | undefined, readonly ours: Hash }

export const samePair = (a: Pair | undefined, b: Pair): boolean => a !== undefined && a.theirs === b.theirs && a.ours === b.ours

/** different reports of one peer and domain while neither side's state changes */
const MAX_SAID = 256

export class Repetition {
  private readonly said = new Map<Reference, Pair & { readonly keys: Set<string> }>()

  /** Whether this is said for the first time since either side changed. */
  isNew (domain: Reference, pair: Pair, key: string): boolean {
    let said = this.said.get(domain)
    if (said === undefined || !samePair(said, pair)) this.said.set(domain, said = { ...pair, keys: new Set<string>() })
    if (said.keys.has(key) || said.keys.size >= MAX_SAID) return false
    said.keys.add(key)
    return true
  }

  forget (domain: Reference): void {
    this.said.delete(domain)
  }
}
