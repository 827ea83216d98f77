/**
 * `diad recover lane`: a lane of ours that forked, because a restored or copied home published over a head that it never saw (THREATS 15). It ends where
 * both histories agree, and what either published beyond is published anew in a lane that no other copy knows of.
 */
import { greatestHeld } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { LaneKnowledge } from '../../../authority/lane-knowledge.js'
import { viewLane } from '../../../authority/lane-view.js'
import { appendRecords } from '../../../federation/append.js'
import { principalId } from '../../../publication/evidence.js'
import { type Snapshot, snapshotCodec } from '../../../publication/lane.js'
import { type Body, decodeBody, namesContent, readLeaf, type UnsaltedBody } from '../../../publication/leaf.js'
import { showName } from '../../../publication/names.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { NONE, type Reference } from '../../../substrate/reference.js'
import { signArtifact, type Signer } from '../../../substrate/signature.js'
import { changeAuthority } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { type Context, inTurn, ownDomain, principalSigner } from '../context.js'
import type { RootsArgs, RootsResults } from './types.js'

export async function recoverLane (context: Context, args: RootsArgs['recover lane'], io: CommandIo): Promise<RootsResults['recover lane']> {
  const { runtime } = context
  const domain = ownDomain(context)
  const signer = await principalSigner(context, io)
  const id = principalId(signer.publicKey)
  let lane: LaneKnowledge | undefined
  let end: Reference | undefined
  let lost: Lost[] = []
  const { amended } = await changeAuthority(context, domain, io, { offline: args.offline, peers: args.peers }, async (k) => {
    lane = forkedLane(k, id, args.lane)
    const { limit, log } = viewLane(lane, k.authority())
    lost = lostBeyond(lane, limit)
    if (limit > 0 && log !== undefined) end = await headAt(k, lane, signer, limit, log.root(limit), readLeaf(log.leaf(limit - 1))?.logseq ?? 0)
    const heads = new Map<Reference, Reference>()
    for (const other of k.lanes.values()) {
      const head = other.lane.principal !== id ? undefined : other === lane ? end : greatestHeld(other, k.authority())
      if (head !== undefined) heads.set(other.ref, head)
    }
    return { close: new Map([[id, heads]]) }
  })
  // The principal goes on under the new manifest; its next lane is a new one.
  const republished = await inTurn(context, async () => {
    const k = await runtime.wake(domain)
    const bodies = worthPublishing(k, lost)
    if (bodies.length > 0) await runtime.gate.together(domain, async () => await appendRecords(runtime, k, signer, bodies))
    for (const b of bodies) {
      if ('ref' in b && b.kind !== 'receipt' && !runtime.store.blocks.has(b.ref)) io.warn(`the content of ${showName((b as { name: string }).name)} isn't held here: import a bundle of the other copy, or publish it again from its files`)
    }
    return bodies.map((b) => (b as { name: string }).name)
  })
  return { domain, lane: (lane as unknown as LaneKnowledge).ref, snapshot: end ?? NONE, manifest: amended.ref, version: amended.manifest.version, republished }
}

/** The lane that is meant: the one named, or the only one of ours that forked. */
function forkedLane (k: DomainKnowledge, id: string, text: string | undefined): LaneKnowledge {
  const ours = [...k.lanes.values()].filter((l) => l.lane.principal === id && l.evidence !== undefined && viewLane(l, k.authority()).contested)
  const found = text === undefined ? ours : ours.filter((l) => l.ref.startsWith(text) || l.ref.slice(4).startsWith(text))
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new DiadError('not-found', found.length > 1 ? `${found.length} lanes of this key forked` : 'no lane of this home\'s key is known to have forked', found.length > 1 ? 'name one: see `diad lanes`' : 'see `diad status` and `diad lanes`')
}

/** The head where both histories still agree. A new one is no equivocation: its log is a prefix of both. */
async function headAt (k: DomainKnowledge, lane: LaneKnowledge, signer: Signer, size: number, root: Snapshot['log_root'], logseq: number): Promise<Reference> {
  const there = [...lane.heads.values()].find((h) => h.snapshot.log_size === size && h.snapshot.log_root === root)
  if (there !== undefined) return there.ref
  const artifact = snapshotCodec.artifact({ lane: lane.ref, log_size: size, log_root: root, logseq })
  const ref = snapshotCodec.reference(snapshotCodec.from(artifact))
  k.admit(artifact)
  k.admit(await signArtifact(signer, 'snapshot', ref))
  if (!lane.heads.has(ref)) throw new Error('our own head was refused')
  return ref
}

interface Lost { readonly logseq: number, readonly body: Body & { name: string }, readonly ref: Reference }

/** What any branch published from index `from` on, as far as bodies are held. */
function lostBeyond (lane: LaneKnowledge, from: number): Lost[] {
  const out: Lost[] = []
  for (const { log } of lane.branches) {
    for (let i = from; i < log.size; i++) {
      const leaf = readLeaf(log.leaf(i))
      const payload = leaf === undefined ? undefined : lane.bodies.get(leaf.body_hash)
      const body = leaf === undefined || payload === undefined ? undefined : readBody(leaf.kind, payload)
      if (leaf === undefined || body === undefined) continue
      if (namesContent(body) || body.kind === 'tombstone') out.push({ logseq: leaf.logseq, body, ref: 'ref' in body ? body.ref : NONE })
    }
  }
  return out
}

/** R6: a malformed body rejects its leaf alone, so there is nothing to publish anew. */
function readBody (kind: number, payload: Uint8Array): Body | undefined {
  try {
    return decodeBody(kind, payload)
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}

/** R4: the greatest of each name, unless something else that stands is greater. */
function worthPublishing (k: DomainKnowledge, lost: readonly Lost[]): UnsaltedBody[] {
  const best = new Map<string, Lost>()
  for (const one of lost) {
    const held = best.get(one.body.name)
    if (held === undefined || one.logseq > held.logseq || (one.logseq === held.logseq && one.ref > held.ref)) best.set(one.body.name, one)
  }
  const { current } = k.viewAll()
  return [...best.values()].filter(({ logseq, body, ref }) => {
    const stands = current.get(body.name)
    return stands === undefined ? ref !== NONE : stands.ref !== ref && stands.logseq < logseq
  }).sort((a, b) => a.logseq - b.logseq).map(({ body: { salt: _salt, ...body } }) => body as UnsaltedBody)
}
