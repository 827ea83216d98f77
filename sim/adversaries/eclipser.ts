/** Wants to be the victim's only peer and shows it a world of its own choice: some lanes, no evidence, and nothing of what the victim says (THREATS 24; RULES E7). */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { answer } from '../../src/federation/serve-sync.js'
import { TAG } from '../../src/substrate/type-tags.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { snapshotCodec } from '../../src/publication/lane.js'
import { map, NODE } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import { answering, every, FROM, gossipOf, known, madeUpHash, neighbours, paced, sayHello, swallow, targets, withDigests } from './kit.js'

interface EclipserArgs { readonly start: number, readonly victim: string }

const PERIOD = 3_000_000

export default adversary<EclipserArgs>({
  name: 'eclipser',
  summary: 'Wants to be the victim\'s only peer and shows it a world of its own choice.',
  schema: map({ ...FROM, victim: NODE }, ['victim']),
  create (kit, { start, victim }) {
    const { world, random } = kit
    const domains = new Set(targets(kit))
    const works = (): boolean => world.clock.now >= start
    const hidden = new Map<Reference, boolean>()
    const first = random.below(2)
    /** Every other lane, and the same answer for ever: it never contradicts itself. */
    const hides = (lane: Reference): boolean => {
      let no = hidden.get(lane)
      if (no === undefined) hidden.set(lane, no = (hidden.size + first) % 2 === 0)
      return no
    }
    /** what the victim is told instead of each true digest */
    const digests = new Map<Hash, Hash>()
    const digestOf = (domain: Reference): Hash => {
      const real = known(kit, domain)?.inventoryDigest() ?? madeUpHash(random)
      let digest = digests.get(real)
      if (digest === undefined) digests.set(real, digest = madeUpHash(random))
      return digest
    }
    // What the victim shall see it is told of, so that it has no reason to look elsewhere.
    every(kit, { start, period: paced(kit, PERIOD) }, () => {
      if (neighbours(kit).includes(victim)) sayHello(kit, victim, new Map([...domains].map((d) => [d, digestOf(d)])))
    })

    return {
      send (effect) {
        const { peer, channel } = effect
        if (peer !== victim || !works()) return [effect]
        // Nothing is asked of the victim: what it has to say doesn't leave.
        if (channel === 'sync' && effect.direction === 'request') return []
        return [withDigests(effect, digestOf) ?? effect]
      },
      frame: answering(kit, domains, (request, honest, peer) => {
        if (peer !== victim || !works()) return 'honest'
        const k = known(kit, request.domain)
        if (k === undefined) return 'honest'
        switch (request.t) {
          case 'inventory': {
            // Asked with a digest that nobody has, so that the honest answer is a list.
            const all = answer(k, { ...request, known: madeUpHash(random) })
            return all.t === 'inventory-answer' && all.status === 'held' ? { ...all, digest: digestOf(k.domain), refs: all.refs.filter((r) => shown(k, r, hides)) } : honest
          }
          case 'objects': return answer(k, { ...request, refs: request.refs.filter((r) => shown(k, r, hides)) })
          default: return hides(request.lane) ? undefined : honest
        }
      }),
      gossip (from, message) {
        if (!works()) return true
        if (from === victim) return false
        // Passing on would reach the victim too: it hears what it shall hear by asking.
        return gossipOf(message)?.t === 'changed' || !domains.has(message.domain) ? true : swallow(kit, from, message)
      }
    }
  }
})

/** Whether the victim may see an object: no proofs, and of hidden lanes nothing. */
function shown (k: DomainKnowledge, ref: Reference, hides: (lane: Reference) => boolean): boolean {
  const artifact = k.artifact(ref)
  if (artifact === undefined) return true
  switch (artifact.typeTag) {
    case TAG.forkEvidence: return false
    case TAG.lane: return !hides(ref)
    case TAG.snapshot: return !hides(snapshotCodec.from(artifact).lane)
    case TAG.signature: {
      const head = k.artifact(signatureCodec.from(artifact).target)
      return head?.typeTag !== TAG.snapshot || !hides(snapshotCodec.from(head).lane)
    }
    default: return true
  }
}
