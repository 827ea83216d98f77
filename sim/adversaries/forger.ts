/** Answers with objects of its own making: wrong bytes under a right reference, signatures by the wrong key (THREATS 1, 2, 9, 10, 13). */
import type { SyncAnswer, SyncRequest } from '../../src/federation/messages.js'
import { decodeArtifact, encodeArtifact } from '../../src/substrate/artifact.js'
import { MalformedError } from '../../src/substrate/errors.js'
import type { Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { map } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import { type Forgery, forge } from './forgery.js'
import { answering, every, flipped, FROM, gossipOf, known, listeners, madeUpHash, paced, sayHello, strangersKey, swallow, TARGET, targets, whisper, withDigests } from './kit.js'

interface ForgerArgs { readonly start: number, readonly of?: string }

/** What is told to one peer from one inventory to the next: all at once would be refused at the first word. */
const STORIES = ['objects', 'bytes', 'leaves', 'bodies', 'proofs'] as const
const PERIOD = 5_000_000

export default adversary<ForgerArgs>({
  name: 'forger',
  summary: 'Answers with objects of its own making: wrong bytes under a right reference, signatures by the wrong key.',
  schema: map({ ...FROM, ...TARGET }),
  create (kit, { start, of }) {
    const { random, world } = kit
    const domains = new Set(targets(kit, of))
    const forged = new Map<Reference, Forgery>()
    const stories = new Map<string, typeof STORIES[number]>()
    const stranger = strangersKey(kit)
    const works = (): boolean => world.clock.now >= start

    every(kit, { start, period: paced(kit, PERIOD) }, async () => {
      // Forged anew one domain at a time; what was forged of the others stays in use.
      const domain = random.pick([...domains])
      const k = known(kit, domain)
      if (k === undefined) return
      const lies = await forge(k, stranger, random)
      forged.set(domain, lies)
      const heard = listeners(kit, domain)
      if (heard.length === 0) return
      const victim = random.pick(heard)
      // By gossip, or by a state that makes the victim ask.
      if (lies.gossip.length > 0 && random.chance(500_000)) whisper(kit, [victim], domain, random.pick(lies.gossip))
      else sayHello(kit, victim, new Map([[domain, madeUpHash(random)]]))
    })

    function lie (request: SyncRequest, honest: SyncAnswer, peer: string): SyncAnswer | 'honest' {
      const lies = forged.get(request.domain)
      if (!works() || lies === undefined) return 'honest'
      const told = stories.get(peer) ?? 'objects'
      switch (honest.t) {
        case 'inventory-answer': {
          stories.set(peer, random.pick(STORIES))
          const refs = new Set([...known(kit, request.domain)?.inventory() ?? [], ...stories.get(peer) === 'objects' ? lies.objects.keys() : []])
          return { ...honest, status: 'held', digest: madeUpHash(random), refs: [...refs].sort(), more: false }
        }
        case 'objects-answer': {
          const asked = request.t === 'objects' ? request.refs : []
          const made = asked.flatMap((r) => lies.objects.get(r) ?? [])
          return { ...honest, artifacts: [...told === 'bytes' ? honest.artifacts.map(otherBytes) : honest.artifacts, ...made] }
        }
        case 'leaves-answer': {
          const log = request.t === 'leaves' ? lies.logs.get(request.head) : undefined
          if (log !== undefined) return { ...honest, leaves: log.leaf, bodies: [log.body], path: [] }
          if (told === 'leaves') return { ...honest, leaves: flipped(random, honest.leaves) }
          return told === 'bodies' ? { ...honest, bodies: honest.bodies.map((b) => flipped(random, b)) } : honest
        }
        case 'bodies-answer': return { ...honest, bodies: honest.bodies.map(({ index, body }) => ({ index, body: flipped(random, body) })) }
        case 'proofs-answer': return told === 'proofs' ? { ...honest, proofs: honest.proofs.map((p) => ({ ...p, path: p.path.map(() => madeUpHash(random)) })) } : honest
        case 'inclusion-answer': return { ...honest, leaf_hash: madeUpHash(random) }
      }
    }

    /** Another payload, another type, a flipped bit, or what isn't an artifact at all. */
    function otherBytes (bytes: Uint8Array): Uint8Array {
      try {
        const { typeTag, payload } = decodeArtifact(bytes)
        return random.pick([
          () => flipped(random, bytes),
          () => encodeArtifact({ typeTag, payload: flipped(random, payload) }),
          () => encodeArtifact({ typeTag: random.pick([undefined, ...Object.values(TAG)].filter((t) => t !== typeTag)), payload }),
          () => random.bytes(Math.max(9, bytes.length))
        ])()
      } catch (err) {
        if (!(err instanceof MalformedError)) throw err
        return random.bytes(64)
      }
    }

    return {
      send: (effect) => [works() ? withDigests(effect, (d) => domains.has(d) ? madeUpHash(random) : undefined) ?? effect : effect],
      frame: answering(kit, domains, lie),
      blocks: (request, honest) => works() && domains.has(request.domain)
        ? honest.map((bytes) => bytes === undefined ? encodeArtifact({ typeTag: undefined, payload: random.bytes(64) }) : otherBytes(bytes))
        : honest,
      gossip (from, message) {
        const head = gossipOf(message)
        if (!works() || head?.t !== 'head' || !domains.has(message.domain)) return true
        // A true head with other leaves and bodies behind it.
        const twisted = random.chance(500_000) ? { ...head, leaves: flipped(random, head.leaves) } : { ...head, bodies: head.bodies.map((b) => flipped(random, b)) }
        whisper(kit, listeners(kit, message.domain).filter((p) => p !== from), message.domain, twisted)
        return swallow(kit, from, message)
      }
    }
  }
})
