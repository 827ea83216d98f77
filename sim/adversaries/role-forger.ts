/**
 * Has a key of the domain and does with it all that the key may not: publishes, takes back, erases and vouches without the role or out of scope, and signs
 * manifests and root entries (THREATS 7, 10; RULES R2, T2, M1). With stolen roots it signs what roots may not.
 */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { checkMayAppend } from '../../src/federation/append.js'
import { answer } from '../../src/federation/serve-sync.js'
import { principalId } from '../../src/publication/evidence.js'
import { type Lane, laneCodec } from '../../src/publication/lane.js'
import { bareLeaf, leafOf, type UnsaltedBody } from '../../src/publication/leaf.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { DiadError } from '../../src/substrate/errors.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import { adversary } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { frozen } from '../world/frozen.js'
import { forgedAuthority } from './forgery.js'
import { answering, every, FROM, known, listeners, paced, sayHello, UNTIL, whisper, withDigests } from './kit.js'
import { freshLane, newestHead, writeLeaf } from './lane-writer.js'

const PERIOD = 5_000_000

interface Shown { readonly k: DomainKnowledge, readonly lane: Lane | undefined, readonly objects: Map<Reference, Uint8Array> }

export default adversary<{ readonly start: number, readonly until?: number }>({
  name: 'role-forger',
  summary: 'Has keys of a domain and does with them all that they may not: publishes without the role, out of scope, vouches, signs manifests.',
  schema: map({ ...FROM, ...UNTIL }),
  create (kit, { start, until }) {
    const { node, random, world } = kit
    const shown = new Map<Reference, Shown>()

    every(kit, { start, until, period: paced(kit, PERIOD) }, async () => {
      const own = node.spec.domain === '' ? [] : [...node.machine.keys.values()].map((signer) => ({ domain: node.spec.domain, signer }))
      // What a root_key signs is no overstepping: that is the root-thief's trade.
      const loot = node.machine.loot.filter((l) => l.kind !== 'root-key')
      const keys = [...own, ...loot.flatMap(({ domain, signers }) => signers.map((signer) => ({ domain, signer })))]
      if (keys.length === 0) return
      const { domain: name, signer } = random.pick(keys)
      const { id } = world.domain(name)
      const k = known(kit, id)
      if (k !== undefined) await overstep(k, signer)
    })

    async function overstep (k: DomainKnowledge, signer: Signer): Promise<void> {
      const tip = k.authority().onChain.at(-1)
      if (tip === undefined) return
      const { lane: before, objects } = shown.get(k.domain) ?? { lane: undefined, objects: new Map<Reference, Uint8Array>() }
      // A copy, with the lane as it was told so far.
      const mine = frozen(k)
      const told = before === undefined ? undefined : shown.get(k.domain)?.k.lanes.get(laneCodec.reference(before))
      const lane = before?.principal === principalId(signer.publicKey) ? before : freshLane(k.domain, signer, tip.ref, random)
      if (before !== undefined && told?.branches[0] !== undefined) {
        mine.admit(laneCodec.artifact(before))
        const { head, log } = told.branches[0]
        mine.lanes.get(told.ref)?.extend(head, 0, log.leaves(0, log.size))
        for (const [hash, body] of told.bodies) mine.lanes.get(told.ref)?.setBody(hash, body)
        mine.touch()
      }
      const body = random.pick(forbidden(k, signer))
      // Forbidden now; where authority forks, another branch may come into force. Whether the key had the right says the manifest, not the intent.
      if (body !== undefined && 'name' in body) world.oracle.intend(k.domain, body.name, body.kind === 'tombstone' ? NONE : body.ref)
      const logseq = k.view().logseq + 1
      const held = await writeLeaf(mine, lane, signer, (least) => body === undefined ? bareLeaf('tick', least) : leafOf(Math.max(least, logseq), { ...body, salt: random.hex(16) }))
      for (const artifact of await forgedAuthority(k.domain, tip.ref, tip.manifest, signer)) objects.set(referenceOf(artifact.typeTag, artifact.payload), encodeArtifact(artifact))
      shown.set(k.domain, { k: mine, lane, objects })
      const peers = listeners(kit, k.domain)
      const head = newestHead(mine, held)
      if (head !== undefined) whisper(kit, peers, k.domain, head)
      for (const peer of peers) sayHello(kit, peer, new Map([[k.domain, mine.inventoryDigest()]]))
    }

    /** What every reader has to refuse to this key; a leaf without effect where it may do everything. */
    function forbidden (k: DomainKnowledge, signer: Signer): Array<UnsaltedBody | undefined> {
      const view = k.view()
      const entry = view.current.size === 0 ? undefined : random.pick([...view.current.values()])
      const heads = [...view.lanes.values()].flatMap((v) => v.branch === undefined ? [] : [{ lane: v.knowledge.ref, snapshot: v.branch.head.ref }])
      const all: UnsaltedBody[] = [
        { kind: 'publish', name: 'forged', ref: k.domain, mode: 0o644 },
        { kind: 'lift', name: 'forged/out-of-scope', ref: k.domain, mode: 0o644 },
        { kind: 'statement', type: 'audited', ref: k.domain },
        { kind: 'receipt', ref: k.domain },
        { kind: 'admit', ref: k.domain },
        ...entry === undefined ? [] : [{ kind: 'tombstone' as const, name: entry.name }, { kind: 'erase' as const, lane: entry.lane, index: entry.index, leaf_hash: entry.leafHash }],
        ...heads.map((h) => ({ kind: 'vouch' as const, ...h }))
      ]
      const out = all.filter((body) => {
        try {
          checkMayAppend(k, signer.publicKey, body)
          return false
        } catch (err) {
          if (err instanceof DiadError) return true
          throw err
        }
      })
      return out.length === 0 ? [undefined] : out
    }

    return {
      send: (effect) => [withDigests(effect, (d) => shown.get(d)?.k.inventoryDigest()) ?? effect],
      frame: (effect) => answering(kit, new Set(shown.keys()), (request) => {
        const told = shown.get(request.domain)
        if (told === undefined) return 'honest'
        const got = answer(told.k, request)
        if (got.t === 'inventory-answer') return { ...got, refs: [...new Set([...got.refs, ...told.objects.keys()])].sort() }
        if (got.t === 'objects-answer' && request.t === 'objects') return { ...got, artifacts: [...got.artifacts, ...request.refs.flatMap((r) => told.objects.get(r) ?? [])] }
        return got
      })(effect)
    }
  }
})
