/** What an invariant saw of each node and domain: memory may be ahead of the disk, and what a power cut takes back nobody had been told. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { SimNode } from '../world/node.js'

export class Memory<T> {
  private readonly seen = new Map<string, T>()
  /** the last of it that was durable for certain: what a power cut leaves behind must be at least that */
  private readonly safe = new Map<string, T>()

  /** Takes the place of what was seen before, and returns that. */
  note (node: SimNode, k: DomainKnowledge, now: T): T | undefined {
    const key = `${node.name} ${k.domain}`
    const before = this.seen.get(key)
    this.seen.set(key, now)
    if ((node.engine?.unsettled ?? 0) <= 1) this.safe.set(key, now)
    return before
  }

  last (node: SimNode, k: DomainKnowledge): T | undefined {
    return this.seen.get(`${node.name} ${k.domain}`)
  }

  /** For `started` of a Watch: the node has what its disk has. */
  readonly started = async (node: SimNode): Promise<undefined> => {
    for (const key of this.seen.keys()) {
      if (!key.startsWith(`${node.name} `)) continue
      const safe = this.safe.get(key)
      if (safe === undefined) this.seen.delete(key)
      else this.seen.set(key, safe)
    }
    await Promise.resolve()
    return undefined
  }
}

/** All of a domain's authority that verdicts may change with: what is in force, and what the branches of a fork take away meanwhile (M7). */
export function authorityOf (k: DomainKnowledge): string {
  const { stateText, forkChildren, forked } = k.authority()
  return [stateText, ...forkChildren, ...[...forked.cutLanes, ...forked.closedPrincipals].sort()].join(' ')
}
