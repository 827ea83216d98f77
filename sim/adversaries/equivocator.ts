/**
 * Holds a key of its domain and tells two halves of its peers two histories of one lane, by pull and by gossip. Found out, it shows earlier and earlier
 * forks, one peer at a time, so that everybody has to hear of the earliest (THREATS 14; RULES E1 to E5).
 */
import { headGossip } from '../../src/federation/gossip.js'
import { answer } from '../../src/federation/serve-sync.js'
import { principalId } from '../../src/publication/evidence.js'
import { laneCodec, PUBLISHED } from '../../src/publication/lane.js'
import { leafOf } from '../../src/publication/leaf.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { list, map, PUBLISHED as PUBLISHED_NAME } from '../scenario/schema-parts.js'
import { type AdversaryKit, adversary } from '../plugin.js'
import { knowledgeOf, type SimDomain } from '../world/domains.js'
import { History } from './history.js'
import { answering, every, FROM, gossipOf, known, listeners, neighbours, paced, sayHello, whisper, withDigests } from './kit.js'

interface EquivocatorArgs { readonly start: number, readonly names: readonly string[] }

const PERIOD = 5_000_000
/** leaves that all histories share, before they part */
const COMMON = 4
/** the first leaves stay as they were, so that there is something left to be contested */
const EARLIEST = 1
const CONTENT_BYTES = 200

export default adversary<EquivocatorArgs>({
  name: 'equivocator',
  summary: 'Holds a key of its domain and shows two histories of one lane to two halves of its peers.',
  schema: map({ ...FROM, names: list(PUBLISHED_NAME, 'the names it publishes twice', { minItems: 1, default: ['forked'] }) }),
  create (kit, { start, names }) {
    const { node, random, world } = kit
    const key = node.machine.keys.values().next().value
    if (node.spec.domain === '' || key === undefined) throw new Error('an equivocator needs a domain and a key of it: {domain: alice, adversary: equivocator}')
    const domain = world.domain(node.spec.domain)
    const manifest = tipOf(domain)
    if (manifest === undefined) throw new Error(`${domain.name} has no manifest`)
    const lane = { domain_id: domain.id, principal: principalId(key.publicKey), manifest, visibility: PUBLISHED, nonce: random.hex(32), previous: NONE } as const
    const laneRef = laneCodec.reference(lane)
    const first = new History(domain, key, lane)
    /** by peer; who isn't in it has heard nothing */
    const told = new Map<string, History>()
    const histories: History[] = [first]
    const blocks = new Map<Reference, Uint8Array>()
    let sides: ReadonlyMap<string, number> | undefined
    /** the earliest fork it will show next, once somebody has a proof */
    let earliest = COMMON
    let caught = false
    world.oracle.guilty.add(lane.principal)

    async function publish (history: History): Promise<void> {
      const payload = random.bytes(CONTENT_BYTES)
      const ref = referenceOf(undefined, payload)
      const name = random.pick(names)
      blocks.set(ref, encodeArtifact({ typeTag: undefined, payload }))
      world.oracle.intend(domain.id, name, ref)
      await history.add(leafOf(history.logseq + 1, { kind: 'publish', salt: random.hex(16), name, ref, mode: 0o644 }))
    }

    every(kit, { start, period: paced(kit, PERIOD) }, async () => {
      if (first.size === 0) {
        for (let i = 0; i < COMMON; i++) await publish(first)
        histories.push(first.fork(COMMON))
      }
      for (const history of histories.slice(0, 2)) await publish(history)
      sides ??= halves(kit)
      for (const peer of neighbours(kit)) if (!told.has(peer)) told.set(peer, histories[sides.get(peer) ?? random.below(2)]!)
      if (caught && earliest > EARLIEST) {
        const other = first.fork(--earliest)
        await publish(other)
        histories.push(other)
        const peers = neighbours(kit)
        if (peers.length > 0) told.set(random.pick(peers), other)
      }
      for (const history of histories) {
        const peers = [...told].filter(([, h]) => h === history).map(([peer]) => peer)
        const head = headGossip(history.k, history.k.lanes.get(laneRef)!, Math.max(0, history.size - 1))
        if (head !== undefined) whisper(kit, listeners(kit, domain.id).filter((p) => peers.includes(p)), domain.id, head)
        for (const peer of neighbours(kit)) if (peers.includes(peer)) sayHello(kit, peer, digestsFor(peer))
      }
    })

    function digestsFor (peer: string): Map<Reference, ReturnType<History['k']['inventoryDigest']>> {
      const out = new Map((node.engine?.active() ?? []).flatMap((d) => {
        const k = known(kit, d)
        return k === undefined ? [] : [[d, k.inventoryDigest()] as const]
      }))
      const history = told.get(peer)
      if (history !== undefined) out.set(domain.id, history.k.inventoryDigest())
      return out
    }

    return {
      send: (effect) => [withDigests(effect, (d) => d === domain.id ? told.get(effect.peer)?.k.inventoryDigest() : undefined) ?? effect],
      frame: answering(kit, new Set([domain.id]), (request, _honest, peer) => {
        const history = told.get(peer)
        return history === undefined ? 'honest' : answer(history.k, request)
      }),
      blocks: (request, honest) => request.refs.map((ref, i) => (request.domain === domain.id ? blocks.get(ref) : undefined) ?? honest[i]),
      gossip (_from, message) {
        if (message.domain !== domain.id) return true
        if (gossipOf(message)?.t === 'evidence') caught = true
        return false
      }
    }
  }
})

function tipOf (domain: SimDomain): Reference | undefined {
  return knowledgeOf(domain).authority().onChain.at(-1)?.ref
}

/** Two halves that meet as little as possible: whole islands where there are any, else by lot. */
function halves ({ node, world, random }: AdversaryKit): Map<string, number> {
  const { network } = world
  const out = new Map<string, number>()
  let islands = 0
  for (const peer of network.wired(node.name)) {
    if (out.has(peer)) continue
    const island = [peer]
    for (const at of island) {
      if (out.has(at)) continue
      out.set(at, islands % 2)
      island.push(...network.wired(at).filter((n) => n !== node.name && !out.has(n) && network.passes(at, n) && network.passes(n, at)))
    }
    islands++
  }
  if (islands > 1) return out
  return new Map(random.shuffle([...out.keys()]).map((peer, i) => [peer, i % 2]))
}
