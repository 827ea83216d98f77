/**
 * Keeps two kinds of work on one domain's content apart: bringing content in, of which many may run at once, and taking it out of sight, which needs to
 * know that nobody relies on a mark meanwhile. Who brings in never waits behind somebody who only waits to take out.
 */
import type { Reference } from '../substrate/reference.js'

export class Gate {
  private readonly inside = new Map<Reference, Set<Promise<unknown>>>()
  private readonly closed = new Map<Reference, Promise<unknown>>()

  /** Runs `work` beside others of its kind. Must not be called from within `alone` of the same domain. */
  async together<T> (domain: Reference, work: () => Promise<T>): Promise<T> {
    for (let other = this.closed.get(domain); other !== undefined; other = this.closed.get(domain)) await other
    const inside = this.inside.get(domain) ?? new Set<Promise<unknown>>()
    this.inside.set(domain, inside)
    return await entered(work, (mine) => { inside.add(mine) }, (mine) => {
      inside.delete(mine)
      if (inside.size === 0 && this.inside.get(domain) === inside) this.inside.delete(domain)
    })
  }

  /** Runs `work` when nothing else runs for `domain`. */
  async alone<T> (domain: Reference, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const closed = this.closed.get(domain)
      const others = [...this.inside.get(domain) ?? [], ...closed === undefined ? [] : [closed]]
      if (others.length === 0) break
      await Promise.allSettled(others)
    }
    return await entered(work, (mine) => { this.closed.set(domain, mine) }, () => { this.closed.delete(domain) })
  }
}

/** `enter` and `leave` get a promise that settles, never rejects, when the work has ended. */
async function entered<T> (work: () => Promise<T>, enter: (mine: Promise<unknown>) => void, leave: (mine: Promise<unknown>) => void): Promise<T> {
  let end: () => void = () => undefined
  const mine = new Promise<void>((resolve) => { end = resolve })
  enter(mine)
  try {
    return await work()
  } finally {
    leave(mine)
    end()
  }
}
