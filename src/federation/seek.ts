/**
 * When to look for more peers that hold a domain: at once while nobody connected has it, and now and then while there are few, so that the only one
 * can't freeze what we see for ever (THREATS 24).
 */
import type { Reference } from '../substrate/reference.js'

/** providers that are enough: one may lie, one may be away */
const ENOUGH = 3
/** ms between two look-ups of one domain: from, doubling up to; one look-up asks about 20 nodes */
const SEEK_FROM = 5_000
const SEEK_TO = 300_000
/** domains looked up in one tick, so that a node that follows thousands doesn't ask for all at once */
const PER_TICK = 16

export class Seeker {
  private readonly next = new Map<Reference, { at: number, wait: number, had: number }>()

  /** Domains to look up now. `providers` counts connected peers that hold the domain. */
  due (now: number, domains: Iterable<Reference>, providers: (domain: Reference) => number): Reference[] {
    const out: Reference[] = []
    for (const domain of domains) {
      const had = providers(domain)
      const planned = this.next.get(domain)
      if (had >= ENOUGH) {
        if (planned !== undefined) this.next.delete(domain)
        continue
      }
      // Whoever was lost is looked for soon, however long ago the last look-up was.
      const lost = planned !== undefined && had < planned.had
      if (planned !== undefined && now < planned.at && !lost) {
        planned.had = had
        continue
      }
      if (out.length >= PER_TICK) continue
      const wait = planned === undefined || lost ? SEEK_FROM : Math.min(2 * planned.wait, SEEK_TO)
      this.next.set(domain, { at: now + wait, wait, had })
      out.push(domain)
    }
    return out
  }

  forget (domain: Reference): void {
    this.next.delete(domain)
  }
}
