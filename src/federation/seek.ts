/**
 * When to look for more peers that hold a domain: at once while nobody connected has it, and now and then in any case, so that those who say they
 * have it can't freeze what we see for ever (THREATS 24).
 */
import type { Reference } from '../substrate/reference.js'

/** providers that are enough to look seldom: one may lie, one may be away */
const ENOUGH = 3
/** ms between two look-ups of one domain: from, doubling up to; one look-up asks about 20 nodes */
const SEEK_FROM = 5_000
const SEEK_TO = 300_000
/** domains looked up for the first time in one tick, and again in one tick: however peers come and go, it costs no more */
const FIRST_PER_TICK = 16
const AGAIN_PER_TICK = 1

interface Plan { at: number, wait: number, had: number, last: number }

export class Seeker {
  private readonly plans = new Map<Reference, Plan>()

  /** Domains to look up now. `providers` counts connected peers that say they hold the domain, which may be lies. */
  due (now: number, domains: Iterable<Reference>, providers: (domain: Reference) => number): Reference[] {
    const first: Reference[] = []
    const again: Reference[] = []
    for (const domain of domains) {
      const had = providers(domain)
      const plan = this.plans.get(domain)
      if (plan === undefined) {
        if (first.length >= FIRST_PER_TICK) continue
        this.plans.set(domain, { at: now + SEEK_FROM, wait: SEEK_FROM, had, last: now })
        if (had < ENOUGH) first.push(domain)
        continue
      }
      // Whoever was lost is looked for soon, however long ago the last look-up was.
      if (had < plan.had) plan.at = Math.min(plan.at, Math.max(now, plan.last + SEEK_FROM))
      plan.had = had
      if (now < plan.at || again.length >= AGAIN_PER_TICK) continue
      plan.wait = had >= ENOUGH ? SEEK_TO : Math.min(2 * plan.wait, SEEK_TO)
      plan.at = now + plan.wait
      plan.last = now
      again.push(domain)
    }
    return [...first, ...again]
  }

  forget (domain: Reference): void {
    this.plans.delete(domain)
  }
}
