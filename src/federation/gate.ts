/**
 * Keeps two kinds of work on one domain's content apart: bringing content in, of which many may run at once, and taking it out of sight, which needs to
 * know that nobody relies on a mark meanwhile. Who brings in never waits behind somebody who only waits to take out.
 */
import type { Reference } from '../substrate/reference.js'

export class Gate {
  private readonly inside = new Map<Reference, Set<Promise<unknown>>>()
  private readonly closed = new Map<Reference, Promise<unknown>>()
  private allClosed: Promise<unknown> | undefined

  /** Runs `work` beside others of its kind. Must not be called from within `alone` of the same domain. */
  async together<T> (domain: Reference, work: () => Promise<T>): Promise<T> {
    for (let other = this.closer(domain); other !== undefined; other = this.closer(domain)) await other
    const inside = this.inside.get(domain) ?? new Set<Promise<unknown>>()
    this.inside.set(domain, inside)
    return await entered(work, (mine) => { inside.add(mine) }, (mine) => {
      inside.delete(mine)
      if (inside.size === 0 && this.inside.get(domain) === inside) this.inside.delete(domain)
    })
  }

  /** Runs `work` when nothing else runs for `domain`. */
  async alone<T> (domain: Reference, work: () => Promise<T>): Promise<T> {
    await this.ended(() => [this.closer(domain), ...this.inside.get(domain) ?? []])
    return await entered(work, (mine) => { this.closed.set(domain, mine) }, () => { this.closed.delete(domain) })
  }

  /**
   * Runs `work` when nothing runs for any domain. Must not be called from within the others, nor they from within it. `calledOff`: rejects when nobody wants
   * to wait any longer.
   */
  async aloneOfAll<T> (work: () => Promise<T>, calledOff?: Promise<never>): Promise<T> {
    await this.ended(() => [this.allClosed, ...this.closed.values(), ...[...this.inside.values()].flatMap((inside) => [...inside])], calledOff)
    return await entered(work, (mine) => { this.allClosed = mine }, () => { this.allClosed = undefined })
  }

  private closer (domain: Reference): Promise<unknown> | undefined {
    return this.allClosed ?? this.closed.get(domain)
  }

  /** When it resolves, nothing of what `others` tells is under way. */
  private async ended (others: () => ReadonlyArray<Promise<unknown> | undefined>, calledOff?: Promise<never>): Promise<void> {
    for (;;) {
      const running = others().filter((p) => p !== undefined)
      if (running.length === 0) return
      const settled = Promise.allSettled(running)
      await (calledOff === undefined ? settled : Promise.race([settled, calledOff]))
    }
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
