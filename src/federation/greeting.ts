/**
 * What one peer is told of our state. The first hello on a connection lists every domain we show; later ones only what changed since, and no more often
 * than every ten seconds: gossip brings news, this finds what gossip lost. So what it costs doesn't grow with the number of publications.
 * Source: DESIGN §7; measured in docs/scale.md.
 */
import { type Hash, type Reference } from '../substrate/reference.js'
import { type Hello, WIRE } from './messages.js'

type Announced = Hello['domains']

/** ms between two hellos to one peer */
const ANNOUNCE_MS = 10_000
/** the digest that says: no longer shown */
export const GONE = '0'.repeat(64) as Hash

export class Greeting {
  private readonly told = new Map<Reference, Hash>()
  private at = 0
  private epoch = -1
  private stirred = false

  /**
   * The lists to send now, each as long as one hello takes. `shown` = domain → digest; `epoch` counts its changes. `heard` = what the peer said of
   * itself: what it holds alike needs no words, and what it doesn't hold needs no news.
   */
  next (now: number, epoch: number, shown: ReadonlyMap<Reference, Hash>, heard: (domain: Reference) => Hash | undefined): Announced[] {
    const first = this.epoch < 0
    if (!first && epoch === this.epoch && !this.stirred) return []
    // That a domain can be found here at all is worth saying at once.
    if (!first && now - this.at < ANNOUNCE_MS && this.knowsAll(shown)) return []
    this.epoch = epoch
    this.stirred = false
    const changed: Announced = []
    for (const [domain, digest] of shown) {
      const told = this.told.get(domain)
      const theirs = heard(domain)
      // Changes concern only who holds the domain too; whoever follows it later hears of it when he says so.
      if (told === digest || (told !== undefined && theirs === undefined)) continue
      this.told.set(domain, digest)
      if (told === undefined || theirs !== digest) changed.push({ domain, digest })
    }
    for (const domain of this.told.keys()) {
      if (shown.has(domain)) continue
      this.told.delete(domain)
      changed.push({ domain, digest: GONE })
    }
    if (!first && changed.length === 0) return []
    this.at = now
    changed.sort((a, b) => (a.domain < b.domain ? -1 : 1))
    const pages: Announced[] = []
    for (let i = 0; i === 0 || i < changed.length; i += WIRE.helloDomains) pages.push(changed.slice(i, i + WIRE.helloDomains))
    return pages
  }

  /** The peer said what it holds: what didn't concern it may now. */
  stir (): void {
    this.stirred = true
  }

  private knowsAll (shown: ReadonlyMap<Reference, Hash>): boolean {
    for (const domain of shown.keys()) if (!this.told.has(domain)) return false
    return true
  }
}
