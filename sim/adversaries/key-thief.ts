/**
 * Uses the keys of principals that `steal` brought it: goes on with the honest lane where it was then, opens lanes under the manifest of that day and under
 * the oldest one, back-dated; before the theft is known and after, and it never shows anybody a revocation (THREATS 11; RULES K1 to K3).
 */
import { scopeHasName } from '../../src/authority/manifest.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { answer } from '../../src/federation/serve-sync.js'
import { principalId } from '../../src/publication/evidence.js'
import type { Lane } from '../../src/publication/lane.js'
import { leafOf } from '../../src/publication/leaf.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import { adversary } from '../plugin.js'
import { choice, list, map, PUBLISHED } from '../scenario/schema-parts.js'
import { frozen } from '../world/frozen.js'
import { answering, every, FROM, known, listeners, paced, sayHello, UNTIL, whisper, withDigests } from './kit.js'
import { freshLane, newestHead, writeLeaf } from './lane-writer.js'

const STORIES = ['goes-on', 'opens', 'back-dates'] as const
type Story = typeof STORIES[number]

interface ThiefArgs { readonly start: number, readonly until?: number, readonly names: readonly string[], readonly stories: readonly Story[] }

const PERIOD = 5_000_000
const CONTENT_BYTES = 200

export default adversary<ThiefArgs>({
  name: 'key-thief',
  summary: 'Signs with the keys of principals that were stolen for it: in the lane it found, in new ones, and in back-dated ones.',
  schema: map({
    ...FROM,
    ...UNTIL,
    names: list(PUBLISHED, 'the names it publishes, within the scope of the key', { minItems: 1, default: ['stolen'] }),
    stories: list(choice(STORIES), 'what it does: goes-on, opens, back-dates', { minItems: 1, uniqueItems: true, default: [...STORIES] })
  }),
  create (kit, { start, until, names, stories }) {
    const { node, random, world } = kit
    /** the world as it was when the key was stolen, and what the thief did in it */
    const mine = new Map<Reference, DomainKnowledge>()
    const lanes = new Map<string, Lane>()
    const blocks = new Map<Reference, Uint8Array>()

    every(kit, { start, until, period: paced(kit, PERIOD) }, async () => {
      for (const { kind, domain: name, signers: [signer] } of node.machine.loot) {
        if (kind !== 'principal' || signer === undefined) continue
        const { id } = world.domain(name)
        const k = known(kit, id)
        if (k === undefined) continue
        const own = mine.get(id) ?? frozen(k)
        mine.set(id, own)
        await publish(own, signer, random.pick(stories))
      }
    })

    async function publish (k: DomainKnowledge, signer: Signer, story: Story): Promise<void> {
      const lane = laneFor(k, signer, story)
      if (lane === undefined) return
      const payload = random.bytes(CONTENT_BYTES)
      const ref = referenceOf(undefined, payload)
      const name = named(k, lane)
      blocks.set(ref, encodeArtifact({ typeTag: undefined, payload }))
      // Until somebody says otherwise, it is what a key of the domain publishes.
      world.oracle.intend(k.domain, name, ref)
      const newest = k.view().logseq + 1
      const held = await writeLeaf(k, lane, signer, (least) => leafOf(story === 'back-dates' ? least : Math.max(least, newest), { kind: 'publish', salt: random.hex(16), name, ref, mode: 0o644 }))
      const head = newestHead(k, held)
      const peers = listeners(kit, k.domain)
      if (head !== undefined) whisper(kit, peers, k.domain, head)
      for (const peer of peers) sayHello(kit, peer, new Map([[k.domain, k.inventoryDigest()]]))
    }

    function laneFor (k: DomainKnowledge, signer: Signer, story: Story): Lane | undefined {
      const id = principalId(signer.publicKey)
      const listing = k.authority().onChain.filter(({ manifest }) => manifest.principals.some((p) => p.principal_id === id))
      const manifest = (story === 'back-dates' ? listing[0] : listing.at(-1))?.ref
      if (manifest === undefined) return undefined
      const key = `${story} ${k.domain} ${id}`
      const known = lanes.get(key) ?? (story === 'goes-on' ? [...k.lanes.values()].findLast((l) => l.lane.principal === id && l.branches.length > 0)?.lane : undefined)
      const lane = known ?? freshLane(k.domain, signer, manifest, random)
      lanes.set(key, lane)
      return lane
    }

    /** One of the names, under a prefix of the key's. */
    function named (k: DomainKnowledge, { manifest, principal }: Lane): string {
      const name = random.pick(names)
      const scope = k.authority().onChain.find((m) => m.ref === manifest)?.manifest.scope.find((s) => s.principal_id === principal)
      return scope === undefined || scopeHasName(scope, name) ? name : `${scope.prefixes[0] ?? ''}/${name}`
    }

    return {
      send: (effect) => [withDigests(effect, (d) => mine.get(d)?.inventoryDigest()) ?? effect],
      frame: (effect) => answering(kit, new Set(mine.keys()), (request) => {
        const own = mine.get(request.domain)
        return own === undefined ? 'honest' : answer(own, request)
      })(effect),
      blocks: (request, honest) => request.refs.map((ref, i) => (mine.has(request.domain) ? blocks.get(ref) : undefined) ?? honest[i])
    }
  }
})
