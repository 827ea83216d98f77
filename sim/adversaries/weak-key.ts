/**
 * Has a stolen root_key and lists a small-order key with every right: with some verifiers one signature under such a key fits every message, so that from
 * then on anybody could publish (THREATS 9; SCHEMA `key`).
 */
import { amendManifest, principalsOf } from '../../src/authority/amend.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { manifestCodec } from '../../src/authority/manifest.js'
import { fromHex, toHex } from '../../src/substrate/bytes.js'
import { sha256Bytes } from '../../src/substrate/hasher.js'
import { type Artifact, encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import type { Reference } from '../../src/substrate/reference.js'
import { signArtifact, type Signer } from '../../src/substrate/signature.js'
import { adversary } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { answering, every, FROM, known, listeners, madeUpHash, paced, sayHello, strangersKey } from './kit.js'

/** The neutral point, the one of order 2, one of order 4, and one that isn't written in its canonical form. */
const WEAK = [`01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, '00'.repeat(32), `ee${'ff'.repeat(30)}7f`]
const PERIOD = 10_000_000

export default adversary<{ readonly start: number }>({
  name: 'weak-key',
  summary: 'Has a stolen root_key and lists a key under which one signature fits every message.',
  schema: map(FROM),
  create (kit, { start }) {
    const { node, random, world } = kit
    const objects = new Map<Reference, Map<Reference, Uint8Array>>()

    every(kit, { start, period: paced(kit, PERIOD) }, async () => {
      const loot = node.machine.loot.find((l) => l.kind === 'root-key')
      const [signer] = loot?.signers ?? []
      const k = loot === undefined ? undefined : known(kit, world.domain(loot.domain).id)
      if (k === undefined || signer === undefined) return
      // After a fork or another epoch nothing can come of it.
      if (!objects.has(k.domain) && (k.authority().state !== 'ok' || k.authority().onChain.at(-1)?.manifest.root_key !== signer.publicKey)) return
      if (!objects.has(k.domain)) objects.set(k.domain, new Map((await weakManifest(k, signer)).map((a) => [referenceOf(a.typeTag, a.payload), encodeArtifact(a)])))
      for (const peer of listeners(kit, k.domain)) sayHello(kit, peer, new Map([[k.domain, madeUpHash(random)]]))
    })

    /** A right manifest but for one key. */
    async function weakManifest (k: DomainKnowledge, signer: Signer): Promise<Artifact[]> {
      const tip = k.authority().onChain.at(-1)
      for (let n = 0; tip !== undefined && n < 100; n++) {
        const { publicKey } = strangersKey(kit, `weak ${n}`)
        const { manifest } = amendManifest(k, { principals: [...principalsOf(tip.manifest), { publicKey, roles: ['federate', 'publish'], prefixes: [''] }] })
        const strong = idOf(publicKey)
        const weak = random.pick(WEAK)
        const order = manifest.principals.map((p) => p.principal_id === strong ? idOf(weak) : p.principal_id)
        // Out of order it would be refused for that alone.
        if (order.some((id, i) => i > 0 && id <= (order[i - 1] ?? ''))) continue
        const { typeTag, payload } = manifestCodec.artifact(manifest)
        const twisted: Artifact = { typeTag, payload: fromHex(toHex(payload).replaceAll(publicKey, weak).replaceAll(strong, idOf(weak))) }
        return [twisted, await signArtifact(signer, 'manifest', referenceOf(typeTag, twisted.payload))]
      }
      return []
    }

    return {
      frame: (effect) => answering(kit, new Set(objects.keys()), (request, honest) => {
        const made = objects.get(request.domain) ?? new Map<Reference, Uint8Array>()
        if (honest.t === 'inventory-answer') return { ...honest, status: 'held', digest: madeUpHash(random), refs: [...new Set([...known(kit, request.domain)?.inventory() ?? [], ...made.keys()])].sort(), more: false }
        if (honest.t === 'objects-answer' && request.t === 'objects') return { ...honest, artifacts: [...honest.artifacts, ...request.refs.flatMap((r) => made.get(r) ?? [])] }
        return 'honest'
      })(effect)
    }
  }
})

const idOf = (key: string): string => toHex(sha256Bytes(fromHex(key)))
