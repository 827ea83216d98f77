/**
 * Has a stolen root_key or stolen roots: signs manifests that fork the domain's authority again and again, and renewals that certify a key of its own; and
 * publishes under them (THREATS 12, 13; RULES M6, M7). With roots it also sends followers to domains of its own (M8).
 */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { answer } from '../../src/federation/serve-sync.js'
import { leafOf } from '../../src/publication/leaf.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { encodeArtifact, type Artifact, referenceOf } from '../../src/substrate/artifact.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { Reference } from '../../src/substrate/reference.js'
import { adversary } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { type Pen, writeManifest, writeMove, writeRenewal } from '../world/desk.js'
import type { SimDomain } from '../world/domains.js'
import { frozen } from '../world/frozen.js'
import type { Loot } from '../world/machine.js'
import { answering, every, FROM, known, listeners, paced, sayHello, UNTIL, whisper, withDigests } from './kit.js'
import { freshLane, newestHead, writeLeaf } from './lane-writer.js'

const PERIOD = 10_000_000
/** more would be more of the same */
const MOST = 12
const CONTENT_BYTES = 200

interface Camp {
  /** the world when the key was stolen */
  readonly then: DomainKnowledge
  /** what it shows: that, with all that it made since */
  readonly shown: DomainKnowledge
  made: number
}

export default adversary<{ readonly start: number, readonly until?: number }>({
  name: 'root-thief',
  summary: 'Has a stolen root_key or stolen roots: forks the authority again and again, and publishes under it; with roots, says that the domain moved.',
  schema: map({ ...FROM, ...UNTIL }),
  create (kit, { start, until }) {
    const { node, random, world } = kit
    const camps = new Map<Reference, Camp>()
    const blocks = new Map<Reference, Uint8Array>()

    every(kit, { start, until, period: paced(kit, PERIOD) }, async () => {
      for (const loot of node.machine.loot) {
        if (loot.kind === 'principal') continue
        const domain = world.domain(loot.domain)
        const k = known(kit, domain.id)
        if (k === undefined) continue
        const camp = camps.get(domain.id) ?? { then: frozen(k), shown: frozen(k), made: 0 }
        camps.set(domain.id, camp)
        if (camp.made < MOST) await usurp(domain, camp, loot).catch(unlessRefused)
        const peers = listeners(kit, domain.id)
        for (const peer of peers) sayHello(kit, peer, new Map([[domain.id, camp.shown.inventoryDigest()]]))
      }
    })

    /** A manifest of its own after the last one that it found, or after another of its own; with roots, under a renewal. */
    async function usurp (domain: SimDomain, camp: Camp, { kind, signers }: Loot): Promise<void> {
      const k = frozen(camp.made > 0 && random.chance(300_000) && camp.shown.authority().state === 'ok' ? camp.shown : camp.then)
      const stranger = domain.keys.strangers()
      const pen: Pen = (key) => [...signers, stranger].find((s) => s.publicKey === key)
      const take = (artifacts: readonly Artifact[]): void => {
        for (const a of artifacts) {
          k.admit(a)
          camp.shown.admit(a)
        }
      }
      camp.made++
      if (kind === 'roots') {
        take(await writeMove(k, pen, referenceOf(undefined, utf8(`the thief's domain ${camp.made}`))))
        take((await writeRenewal(k, pen, { rootKey: stranger.publicKey })).artifacts)
      }
      const signer = domain.keys.principal('thief')
      const { ref, artifacts } = await writeManifest(domain, k, pen, ({ rights }) => ({ rights: [...rights, { name: 'thief', publicKey: signer.publicKey, roles: ['federate', 'publish'], scope: [''] }] }))
      take(artifacts)
      const payload = random.bytes(CONTENT_BYTES)
      const content = referenceOf(undefined, payload)
      blocks.set(content, encodeArtifact({ typeTag: undefined, payload }))
      world.oracle.intend(domain.id, 'usurped', content)
      const lane = await writeLeaf(camp.shown, freshLane(domain.id, signer, ref, random), signer, (least) => leafOf(least + k.view().logseq, { kind: 'publish', salt: random.hex(16), name: 'usurped', ref: content, mode: 0o644 }))
      const head = newestHead(camp.shown, lane)
      if (head !== undefined) whisper(kit, listeners(kit, domain.id), domain.id, head)
    }

    return {
      send: (effect) => [withDigests(effect, (d) => camps.get(d)?.shown.inventoryDigest()) ?? effect],
      frame: (effect) => answering(kit, new Set(camps.keys()), (request) => {
        const camp = camps.get(request.domain)
        return camp === undefined ? 'honest' : answer(camp.shown, request)
      })(effect),
      blocks: (request, honest) => request.refs.map((ref, i) => (camps.has(request.domain) ? blocks.get(ref) : undefined) ?? honest[i])
    }
  }
})

/** What the rules keep even a thief from writing. */
function unlessRefused (err: unknown): void {
  if (!(err instanceof DiadError)) throw err
}
