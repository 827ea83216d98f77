/** States of a domain that we held ourselves. A peer that shows one of them is behind us: it has nothing that we lack, and will ask. */
import type { Hash, Reference } from '../substrate/reference.js'

/** states remembered of one domain: more than are published between two hellos */
const REMEMBERED = 64

export class History {
  private readonly past = new Map<Reference, Set<Hash>>()

  /** Call whenever the domain's state may have changed. */
  note (domain: Reference, digest: Hash): void {
    let past = this.past.get(domain)
    if (past === undefined) this.past.set(domain, past = new Set())
    past.delete(digest)
    past.add(digest)
    if (past.size > REMEMBERED) past.delete(past.values().next().value as Hash)
  }

  had (domain: Reference, digest: Hash): boolean {
    return this.past.get(domain)?.has(digest) ?? false
  }

  /** What was held is no longer: a restored or unfollowed domain starts anew. */
  forget (domain: Reference): void {
    this.past.delete(domain)
  }
}
