/** Objects that nobody may accept, as like to true ones as can be made without a key of the domain (THREATS 1, 2, 9, 10, 13). */
import { certificateCodec } from '../../src/authority/certificate.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Head, HeldBranch } from '../../src/authority/lane-knowledge.js'
import { type DomainAuthorityManifest, manifestCodec } from '../../src/authority/manifest.js'
import { rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import type { Gossip } from '../../src/federation/messages.js'
import { forkEvidenceCodec, makeEvidence, principalId } from '../../src/publication/evidence.js'
import { type Lane, laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../../src/publication/lane.js'
import { encodeLeaf, leafOf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { type Artifact, encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { signArtifact, signatureCodec, type Signer } from '../../src/substrate/signature.js'
import type { Random } from '../world/random.js'
import { madeUpHash } from './kit.js'

export interface Forgery {
  /** what goes into an inventory, by Reference */
  readonly objects: ReadonlyMap<Reference, Uint8Array>
  /** the same heads as gossip */
  readonly gossip: readonly Gossip[]
  /** logs behind forged heads, by head: one leaf and its body */
  readonly logs: ReadonlyMap<Reference, { readonly leaf: Uint8Array, readonly body: Uint8Array }>
}

/** Everything that can be forged over what `k` holds, signed by `stranger`. Empty where nothing is held that could be twisted. */
export async function forge (k: DomainKnowledge, stranger: Signer, random: Random): Promise<Forgery> {
  const branch = [...k.view().lanes.values()].find((v) => v.branch !== undefined && v.exported > 0)?.branch
  const head = branch?.head
  const tip = k.authority().onChain.at(-1)
  const made: Artifact[] = []
  const gossip: Gossip[] = []
  const logs = new Map<Reference, { leaf: Uint8Array, body: Uint8Array }>()
  if (tip !== undefined) made.push(...await forgedAuthority(k.domain, tip.ref, tip.manifest, stranger))
  if (head !== undefined) {
    const lane = laneCodec.artifact(k.lanes.get(head.snapshot.lane)!.lane)
    for (const forged of await forgedHeads(head, stranger, random)) {
      made.push(...forged)
      gossip.push(headMessage(k.domain, lane, ...forged))
    }
    gossip.push(continued(k.domain, lane, branch as HeldBranch, random))
    made.push(forgedProof(head, random))
    gossip.push({ t: 'evidence', domain: k.domain, artifact: encodeArtifact(made.at(-1) as Artifact) })
  }
  if (tip !== undefined) {
    const manifests = [tip.ref, ...made.filter((a) => a.typeTag === manifestCodec.tag).map((a) => referenceOf(a.typeTag, a.payload))]
    for (const manifest of manifests) {
      const own = await ownLane(k.domain, manifest, stranger, random)
      made.push(own.lane, own.snapshot, own.signature)
      logs.set(referenceOf(own.snapshot.typeTag, own.snapshot.payload), own)
      gossip.push({ ...headMessage(k.domain, own.lane, own.snapshot, own.signature), from: 0, leaves: own.leaf, bodies: [own.body] })
    }
  }
  return { objects: new Map(made.map((a) => [referenceOf(a.typeTag, a.payload), encodeArtifact(a)])), gossip, logs }
}

function headMessage (domain: Reference, lane: Artifact, snapshot: Artifact, signature: Artifact): Extract<Gossip, { t: 'head' }> {
  const size = snapshotCodec.from(snapshot).log_size
  return { t: 'head', domain, lane: encodeArtifact(lane), snapshot: encodeArtifact(snapshot), signature: encodeArtifact(signature), from: size, leaves: new Uint8Array(0), bodies: [] }
}

/** The true log with one more leaf, all of it as it must be but the signature: whoever doesn't look at that believes it. */
function continued (domain: Reference, lane: Artifact, branch: HeldBranch, random: Random): Gossip {
  const { head } = branch
  const { leaf, body } = leafOf(head.snapshot.logseq + 1, { kind: 'publish', salt: random.hex(16), name: 'forged', ref: domain, mode: 0o644 })
  const log = branch.log.clone()
  log.append(encodeLeaf(leaf))
  const snapshot = { ...head.snapshot, log_size: log.size, log_root: log.root(), logseq: leaf.logseq }
  const signature = signatureCodec.artifact({ ...head.signature, target: snapshotCodec.reference(snapshot), signature: random.hex(64) })
  return { ...headMessage(domain, lane, snapshotCodec.artifact(snapshot), signature), from: log.size - 1, leaves: encodeLeaf(leaf), bodies: [body as Uint8Array] }
}

/** As if the publisher had gone on: by a key without a say, with noise for a signature, with the true head's signature, and with one made for another purpose. */
async function forgedHeads (head: Head, stranger: Signer, random: Random): Promise<Array<[Artifact, Artifact]>> {
  const next = (): Snapshot => ({ ...head.snapshot, log_size: head.snapshot.log_size + 1 + random.below(1000), log_root: madeUpHash(random), logseq: head.snapshot.logseq + 1 })
  const signed = (s: Snapshot, signature: string): [Artifact, Artifact] =>
    [snapshotCodec.artifact(s), signatureCodec.artifact({ ...head.signature, target: snapshotCodec.reference(s), signature })]
  const [a, b, c] = [next(), next(), next()]
  const otherPurpose = signatureCodec.from(await signArtifact(stranger, 'head-answer', snapshotCodec.reference(c)))
  return [
    [snapshotCodec.artifact(a), await signArtifact(stranger, 'snapshot', snapshotCodec.reference(a))],
    signed(b, random.hex(64)),
    signed(next(), head.signature.signature),
    [snapshotCodec.artifact(c), signatureCodec.artifact({ ...otherPurpose, purpose: 'snapshot' })]
  ]
}

/** The next manifest, in which the stranger may do everything, and a rotation of the roots to a key of the stranger's. */
export async function forgedAuthority (domain: Reference, tip: Reference, manifest: DomainAuthorityManifest, stranger: Signer): Promise<Artifact[]> {
  const id = principalId(stranger.publicKey)
  const byId = <T extends { principal_id: string }>(a: T, b: T): number => a.principal_id < b.principal_id ? -1 : 1
  const usurped: DomainAuthorityManifest = {
    ...manifest,
    version: manifest.version + 1,
    previous: tip,
    root_key: stranger.publicKey,
    principals: [...manifest.principals.filter((p) => p.principal_id !== id), { principal_id: id, public_key: stranger.publicKey, roles: ['federate', 'publish'] as const }].map((p) => ({ ...p, roles: [...p.roles] })).sort(byId),
    scope: [...manifest.scope.filter((s) => s.principal_id !== id), { principal_id: id, prefixes: [''], programs: [NONE] }].sort(byId)
  }
  const set = { version: 1 as const, root_keys: [stranger.publicKey], threshold: 1, reserved0: 0 as const }
  const certificate = {
    subject_type: 'domain_root' as const, subject_id: id, subject_pubkey: stranger.publicKey, domain_id: domain, roles: [], policy_hash: manifest.policy_hash, issued_by: stranger.publicKey, version: 1
  }
  const rotation = {
    domain_id: domain, epoch: 1, previous: domain, root_set: rootSetCodec.reference(set), salt: id, next_commitment: id, certificate: certificateCodec.reference(certificate), base: tip
  }
  return [
    manifestCodec.artifact(usurped), await signArtifact(stranger, 'manifest', manifestCodec.reference(usurped)),
    rootSetCodec.artifact(set), certificateCodec.artifact(certificate), rootEntryCodec.artifact(rotation), await signArtifact(stranger, 'root-entry', rootEntryCodec.reference(rotation))
  ]
}

/** A "proof" against the publisher, with a signature that nobody made. */
function forgedProof (head: Head, random: Random): Artifact {
  const { log_size, log_root, logseq } = head.snapshot
  const side = { log_size, log_root, logseq, signature: head.signature.signature, leaf_hash: madeUpHash(random), path: [] }
  return forkEvidenceCodec.artifact(makeEvidence(head.snapshot.lane, head.signature.public_key, 0, side, { ...side, log_root: madeUpHash(random), signature: random.hex(64), leaf_hash: madeUpHash(random) }))
}

/** A lane of the stranger's own, in which everything is well signed, by somebody who has no say. */
async function ownLane (domain: Reference, manifest: Reference, stranger: Signer, random: Random): Promise<{ lane: Artifact, snapshot: Artifact, signature: Artifact, leaf: Uint8Array, body: Uint8Array }> {
  const lane: Lane = { domain_id: domain, principal: principalId(stranger.publicKey), manifest, visibility: PUBLISHED, nonce: random.hex(32), previous: NONE }
  const { leaf, body } = leafOf(1, { kind: 'publish', salt: random.hex(16), name: 'forged', ref: domain, mode: 0o644 })
  const log = new LeafLog()
  log.append(encodeLeaf(leaf))
  const snapshot: Snapshot = { lane: laneCodec.reference(lane), log_size: 1, log_root: log.root(), logseq: 1 }
  return {
    lane: laneCodec.artifact(lane),
    snapshot: snapshotCodec.artifact(snapshot),
    signature: await signArtifact(stranger, 'snapshot', snapshotCodec.reference(snapshot)),
    leaf: encodeLeaf(leaf),
    body: body as Uint8Array
  }
}
