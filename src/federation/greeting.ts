/**
 * What one peer is told of our state. The first hello on a connection lists every domain we show; later ones only what changed since, and no more often
 * than every ten to thirty seconds: gossip brings news, this finds what gossip lost. So what it costs doesn't grow with the number of publications.
 * Source: DESIGN §7; measured in docs/scale.md.
 */
import { type Hash, type Reference } from '../substrate/reference.js'
import { type Hello, WIRE } from './messages.js'
import type { Shown } from './showcase.js'

type Announced = Hello['domains']

/** ms between two hellos to one peer: from, doubling up to while they tell neither side anything it needed */
const ANNOUNCE_FROM = 10_000
const ANNOUNCE_TO = 30_000
/** the digest that says: no longer shown */
export const GONE = '0'.repeat(64) as Hash

export class Greeting {
  private readonly told = new Map<Reference, Hash>()
  private at = 0
  private wait = ANNOUNCE_FROM
  private epoch = -1
  private names = -1
  private stirred = false
  /** the last turn was left to the peer */
  private agreed = false

  /**
   * The lists to send now, each as long as one hello takes. `heard` = what the peer said of itself: what it holds alike needs no words, and what it
   * doesn't hold needs no news. `common` = the domains both hold: while no domain came or went, only these can have news.
   */
  next (now: number, state: Shown, common: Iterable<Reference>, heard: (domain: Reference) => Hash | undefined): Announced[] {
    const first = this.epoch < 0
    if (!first && state.epoch === this.epoch && !this.stirred) return []
    const renamed = state.names !== this.names
    // That a domain can be found here at all is worth saying at once.
    if (!first && now - this.at < this.wait && !renamed) return []
    this.agreed = false
    this.epoch = state.epoch
    this.names = state.names
    this.stirred = false
    const changed: Announced = []
    for (const domain of renamed ? state.domains.keys() : common) {
      const digest = state.domains.get(domain)
      const told = this.told.get(domain)
      const theirs = heard(domain)
      // Changes concern only who holds the domain too; whoever follows it later hears of it when he says so.
      if (digest === undefined || told === digest || (told !== undefined && theirs === undefined)) continue
      this.told.set(domain, digest)
      if (told === undefined || theirs !== digest) changed.push({ domain, digest })
    }
    for (const domain of renamed ? this.told.keys() : []) {
      if (state.domains.has(domain)) continue
      this.told.delete(domain)
      changed.push({ domain, digest: GONE })
    }
    if (!first && changed.length === 0) return []
    this.at = now
    if (!first) this.wait = Math.min(2 * this.wait, ANNOUNCE_TO)
    changed.sort((a, b) => (a.domain < b.domain ? -1 : 1))
    const pages: Announced[] = []
    for (let i = 0; i === 0 || i < changed.length; i += WIRE.helloDomains) pages.push(changed.slice(i, i + WIRE.helloDomains))
    return pages
  }

  /**
   * The peer said what we would have said. One word about the same thing is enough: until it is our turn again, he speaks. Only where that was all
   * there is to say, and never twice in a row: who talks about one domain mustn't keep us from telling of another.
   */
  agree (now: number, state: Shown, common: Iterable<Reference>, heard: (domain: Reference) => Hash | undefined): void {
    if (this.epoch < 0 || this.agreed) return
    for (const domain of common) if (state.domains.get(domain) !== this.told.get(domain) && state.domains.get(domain) !== heard(domain)) return
    this.at = now
    this.agreed = true
  }

  /** A hello was of use between us: gossip doesn't bring everything just now. */
  hurry (): void {
    this.wait = ANNOUNCE_FROM
  }

  /** The peer said what it holds: what didn't concern it may now. */
  stir (): void {
    this.stirred = true
  }
}
