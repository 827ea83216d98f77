/**
 * One of many identities of one operator. A few at a time push the same forged head at every victim, as if many agreed; the others take up places in
 * everybody's mesh, pass nothing on, claim to hold everything and give nothing, until their turn comes (THREATS 23).
 */
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { map } from '../scenario/schema-parts.js'
import { type AdversaryKit, adversary } from '../plugin.js'
import type { World } from '../world/world.js'
import { type Forgery, forge } from './forgery.js'
import { answering, every, FROM, known, listeners, madeUpHash, neighbours, paced, sayHello, strangersKey, swallow, TARGET, targets, whisper, withDigests } from './kit.js'

interface SybilArgs { readonly start: number, readonly of?: string }

const PERIOD = 3_000_000
/** identities that lie at the same time; one that everybody has banned makes room for the next */
const LIARS = 3

/** What the identities of one run share. */
class Operator {
  private readonly kits: AdversaryKit[] = []
  readonly forged = new Map<Reference, Forgery>()
  private readonly digests = new Map<Reference, Hash>()
  private forgedAt = -1

  join (kit: AdversaryKit): void {
    this.kits.push(kit)
  }

  /** Whether it is this identity's turn to lie. */
  lies ({ node }: AdversaryKit): boolean {
    const free = this.kits.filter((k) => k.node.up && neighbours(k).length > 0)
    return free.slice(0, LIARS).some((k) => k.node === node)
  }

  /** One forgery for all, made anew now and then. */
  async forge (kit: AdversaryKit, domains: ReadonlySet<Reference>): Promise<void> {
    const { now } = kit.world.clock
    if (now < this.forgedAt + paced(kit, PERIOD) && this.forgedAt >= 0) return
    this.forgedAt = now
    for (const domain of domains) {
      const k = known(kit, domain)
      if (k === undefined) continue
      this.digests.set(domain, madeUpHash(kit.random))
      this.forged.set(domain, await forge(k, strangersKey(kit, 'operator'), kit.random))
    }
  }

  /** The state that all identities claim: a majority that agrees. */
  digestOf (domain: Reference): Hash | undefined {
    return this.digests.get(domain)
  }
}

const operators = new WeakMap<World, Operator>()

export default adversary<SybilArgs>({
  name: 'sybil',
  summary: 'One of many identities of one operator; together they push forged heads and each other\'s addresses.',
  schema: map({ ...FROM, ...TARGET }),
  create (kit, { start, of }) {
    const { random, world } = kit
    const domains = new Set(targets(kit, of))
    const operator = operators.get(world) ?? new Operator()
    operators.set(world, operator)
    operator.join(kit)
    const works = (): boolean => world.clock.now >= start

    every(kit, { start: start + random.below(PERIOD), period: paced(kit, PERIOD) }, async () => {
      if (!operator.lies(kit)) return
      await operator.forge(kit, domains)
      for (const [domain, { gossip }] of operator.forged) {
        const peers = listeners(kit, domain)
        if (gossip[0] !== undefined && peers.length > 0) whisper(kit, [random.pick(peers)], domain, gossip[0])
        const digest = operator.digestOf(domain)
        if (digest !== undefined) for (const peer of peers) sayHello(kit, peer, new Map([[domain, digest]]))
      }
    })
    return {
      send: (effect) => [works() ? withDigests(effect, (d) => domains.has(d) ? operator.digestOf(d) : undefined) ?? effect : effect],
      frame: answering(kit, domains, (request, honest) => {
        const lies = operator.forged.get(request.domain)
        if (!works() || lies === undefined) return 'honest'
        if (!operator.lies(kit)) return honest.t === 'inventory-answer' ? { ...honest, status: 'held', refs: [], more: false } : 'honest'
        if (honest.t === 'inventory-answer') {
          return { ...honest, status: 'held', digest: operator.digestOf(request.domain) ?? honest.digest, refs: [...new Set([...known(kit, request.domain)?.inventory() ?? [], ...lies.objects.keys()])].sort(), more: false }
        }
        if (honest.t === 'objects-answer' && request.t === 'objects') return { ...honest, artifacts: [...honest.artifacts, ...request.refs.flatMap((r) => lies.objects.get(r) ?? [])] }
        return 'honest'
      }),
      blocks: (_request, honest) => works() ? honest.map(() => undefined) : honest,
      gossip: (from, message) => works() ? swallow(kit, from, message) : true
    }
  }
})
