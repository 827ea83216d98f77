/**
 * Everything held about one domain, as a set: authority objects, lanes, heads, logs, bodies, evidence. What comes in is checked by bytes alone;
 * what it means is computed from the whole by {@link viewDomain}, so arrival order can't matter (R5). Content is elsewhere: only References here.
 */
import { type Artifact, referenceOf } from '../substrate/artifact.js'
import { toHex } from '../substrate/bytes.js'
import { MalformedError } from '../substrate/errors.js'
import { sha256Bytes } from '../substrate/hasher.js'
import { type Hash, type Reference, referenceBytes } from '../substrate/reference.js'
import { type Signature, signatureCodec, signatureHolds } from '../substrate/signature.js'
import { TAG } from '../substrate/type-tags.js'
import { type ForkEvidence, forkEvidenceCodec } from '../publication/evidence.js'
import { laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../publication/lane.js'
import { AuthorityObjects } from './authority-store.js'
import { type DomainView, viewDomain, type ViewedLane } from './domain-view.js'
import { type Head, headSignatureReference, LaneKnowledge } from './lane-knowledge.js'
import { type Authority, resolveAuthority } from './manifest-chain.js'

/** What became of an object that was handed in. */
export interface Admission {
  readonly ref: Reference
  readonly result: 'added' | 'known' | 'rejected' | 'irrelevant'
  /** for `rejected` and `irrelevant`: the verdict code */
  readonly code: string
}

/** Objects whose lane or partner isn't held yet wait here; a peer must not fill memory with them. */
const MAX_WAITING = 256

export class DomainKnowledge {
  readonly objects: AuthorityObjects
  readonly lanes = new Map<Reference, LaneKnowledge>()
  /** counts changes; views are computed once a revision */
  revision = 0
  private readonly snapshots = new Map<Reference, Snapshot>()
  private readonly signatures = new Map<Reference, Signature>()
  private readonly proofs = new Map<Reference, ForkEvidence>()
  /** refs of control objects that lie in the store */
  readonly persisted = new Set<Reference>()
  /** while reading the store, no head is dropped for room: which are named shows only when all is there */
  reading = false
  /** what the last view said must be kept */
  private lastNamed: ReadonlySet<Reference> = new Set()
  private memo: { revision: number, authority?: Authority, exported?: DomainView, all?: DomainView } = { revision: -1 }

  constructor (readonly domain: Reference) {
    this.objects = new AuthorityObjects(domain)
  }

  /** Takes one object. Never throws on bad bytes: the verdict says what was wrong. */
  admit (artifact: Artifact): Admission {
    const ref = referenceOf(artifact.typeTag, artifact.payload)
    try {
      const out = this.take(ref, artifact)
      if (out.result === 'added') this.revision++
      return out
    } catch (err) {
      if (err instanceof MalformedError) return { ref, result: 'rejected', code: 'malformed' }
      throw err
    }
  }

  private take (ref: Reference, artifact: Artifact): Admission {
    const tag = artifact.typeTag
    if (tag === TAG.lane) return this.takeLane(ref, artifact)
    if (tag === TAG.snapshot) return this.takeSnapshot(ref, snapshotCodec.from(artifact))
    if (tag === TAG.forkEvidence) return this.takeEvidence(ref, forkEvidenceCodec.from(artifact))
    if (tag === TAG.signature) {
      const signature = signatureCodec.from(artifact)
      if (signature.purpose === 'snapshot') return this.takeSignature(ref, signature)
    }
    const out = this.objects.add(ref, artifact)
    if (out === 'added' || out === 'known') return { ref, result: out, code: 'accepted' }
    return { ref, result: out.status === 'rejected' ? 'rejected' : 'irrelevant', code: out.code }
  }

  private takeLane (ref: Reference, artifact: Artifact): Admission {
    if (this.lanes.has(ref)) return { ref, result: 'known', code: 'accepted' }
    const lane = laneCodec.from(artifact)
    if (lane.domain_id !== this.domain) return { ref, result: 'rejected', code: 'wrong-domain' }
    const knowledge = new LaneKnowledge(ref, lane)
    this.lanes.set(ref, knowledge)
    this.dropHeadless()
    for (const [at, snapshot] of this.snapshots) if (snapshot.lane === ref) this.pairUp(at)
    for (const [at, proof] of this.proofs) {
      if (proof.lane !== ref) continue
      this.proofs.delete(at)
      knowledge.addEvidence(proof)
    }
    return { ref, result: 'added', code: 'accepted' }
  }

  /** Anybody can make up a Lane; those that no head has been seen of are kept in small number only. */
  private dropHeadless (): void {
    const headless = [...this.lanes.values()].filter((l) => l.heads.size === 0)
    if (headless.length > MAX_WAITING) this.lanes.delete((headless[0] as LaneKnowledge).ref)
  }

  private takeSnapshot (ref: Reference, snapshot: Snapshot): Admission {
    if (this.lanes.get(snapshot.lane)?.heads.has(ref) ?? this.snapshots.has(ref)) return { ref, result: 'known', code: 'accepted' }
    wait(this.snapshots, ref, snapshot)
    return this.pairUp(ref) ?? { ref, result: 'added', code: 'signature-missing' }
  }

  private takeSignature (ref: Reference, signature: Signature): Admission {
    const known = [...this.lanes.values()].some((l) => l.heads.has(signature.target))
    if (known) return { ref, result: 'known', code: 'accepted' }
    // One that doesn't verify is refused alone and says nothing about its target (T1).
    if (!signatureHolds(signature)) return { ref, result: 'rejected', code: 'bad-signature' }
    const snapshot = this.snapshots.get(signature.target)
    const lane = snapshot === undefined ? undefined : this.lanes.get(snapshot.lane)
    if (snapshot !== undefined && lane !== undefined && lane.head(snapshot, signature) === 'bad-signature') return { ref, result: 'rejected', code: 'bad-signature' }
    wait(this.signatures, signature.target, signature)
    const paired = this.pairUp(signature.target)
    return paired === undefined ? { ref, result: 'added', code: 'target-missing' } : { ...paired, ref }
  }

  /** A head comes to life when its lane, its snapshot and its signature are all here. */
  private pairUp (snapshotRef: Reference): Admission | undefined {
    const snapshot = this.snapshots.get(snapshotRef)
    const signature = this.signatures.get(snapshotRef)
    const lane = snapshot === undefined ? undefined : this.lanes.get(snapshot.lane)
    if (snapshot === undefined || signature === undefined || lane === undefined) return undefined
    const head = lane.head(snapshot, signature)
    this.signatures.delete(snapshotRef)
    if (head === 'bad-signature') return { ref: snapshotRef, result: 'rejected', code: 'bad-signature' }
    this.snapshots.delete(snapshotRef)
    lane.addHead(head, this.reading || this.lastNamed.has(head.ref))
    return { ref: snapshotRef, result: 'added', code: 'accepted' }
  }

  private takeEvidence (ref: Reference, proof: ForkEvidence): Admission {
    const lane = this.lanes.get(proof.lane)
    if (lane === undefined) {
      wait(this.proofs, ref, proof)
      return { ref, result: 'added', code: 'lane-missing' }
    }
    if (lane.evidence !== undefined && forkEvidenceCodec.reference(lane.evidence) === ref) return { ref, result: 'known', code: 'accepted' }
    if (lane.evidence !== undefined && proof.index > lane.evidence.index) return { ref, result: 'irrelevant', code: 'superseded' }
    const before = lane.evidence
    if (lane.addEvidence(proof)) return { ref, result: 'added', code: 'accepted' }
    return before !== undefined && proof.index === before.index ? { ref, result: 'irrelevant', code: 'superseded' } : { ref, result: 'rejected', code: 'bad-evidence' }
  }

  /** Call after changing a lane's logs or bodies directly. */
  touch (): void {
    this.revision++
  }

  private fresh (): typeof this.memo {
    if (this.memo.revision !== this.revision) this.memo = { revision: this.revision }
    return this.memo
  }

  readonly authority = (): Authority => {
    const memo = this.fresh()
    return (memo.authority ??= resolveAuthority(this.objects, this.domain))
  }

  /** What the domain exports: the view of every follower. */
  view (): DomainView {
    const memo = this.fresh()
    if (memo.exported === undefined) {
      memo.exported = viewDomain(this)
      this.lastNamed = memo.exported.named
      for (const ref of memo.exported.named) for (const lane of this.lanes.values()) lane.keepHead(ref)
    }
    return memo.exported
  }

  /** The owner's own view: visible and internal lanes too. */
  viewAll (): DomainView {
    const memo = this.fresh()
    return (memo.all ??= viewDomain(this, { all: true }))
  }

  /** The control objects that this domain's state consists of: what is kept, served and put into bundles. Sorted. */
  inventory (): Reference[] {
    const out = new Set<Reference>(this.objects.relevant(this.domain))
    const view = this.view()
    for (const [ref, v] of view.lanes) {
      if (!v.considered && v.exported === 0) continue
      if (v.knowledge.lane.visibility !== PUBLISHED) continue
      out.add(ref)
      for (const head of servedHeads(v, view)) {
        out.add(head.ref)
        out.add(headSignatureReference(head))
      }
      const proof = v.knowledge.evidence
      if (proof !== undefined) out.add(forkEvidenceCodec.reference(proof))
    }
    return [...out].sort()
  }

  inventoryDigest (): Hash {
    return toHex(sha256Bytes(...this.inventory().map(referenceBytes))) as Hash
  }

  /** The artifact of a control object, or undefined when it isn't held. */
  artifact (ref: Reference): Artifact | undefined {
    const object = this.objects.artifact(ref)
    if (object !== undefined) return object
    const lane = this.lanes.get(ref)
    if (lane !== undefined) return laneCodec.artifact(lane.lane)
    for (const l of this.lanes.values()) {
      const head = l.heads.get(ref)
      if (head !== undefined) return snapshotCodec.artifact(head.snapshot)
      for (const h of l.heads.values()) if (headSignatureReference(h) === ref) return signatureCodec.artifact(h.signature)
      if (l.evidence !== undefined && forkEvidenceCodec.reference(l.evidence) === ref) return forkEvidenceCodec.artifact(l.evidence)
    }
    return undefined
  }

  /** Objects that held ones name and that aren't here, in a fixed order. */
  missing (): Reference[] {
    const out = new Set<Reference>([...this.objects.missing(this.domain), ...this.view().withheld])
    for (const v of this.view().lanes.values()) for (const ref of v.unlinked) if (!v.knowledge.heads.has(ref)) out.add(ref)
    return [...out].sort()
  }
}

/** Heads of a lane that others may have: the greatest within what is exported, and those that cuts, vouches and `previous` name. */
export function servedHeads (v: ViewedLane, { named, vouched }: Pick<DomainView, 'named' | 'vouched'>): Head[] {
  const out: Head[] = []
  const own = v.rights?.principal.roles.includes('federate') ?? false
  let best: Head | undefined
  for (const head of v.knowledge.heads.values()) {
    const size = head.snapshot.log_size
    const onLog = v.log !== undefined && v.log.size >= size && v.log.root(size) === head.snapshot.log_root
    // A head that a federate key vouched for is the domain's own advert, even where a fork or a malformed leaf ends the lane below it (E4).
    if (!onLog || (!own && size > v.exported && !vouched.has(head.ref))) continue
    if (named.has(head.ref)) out.push(head)
    if (best === undefined || size > best.snapshot.log_size || (size === best.snapshot.log_size && head.ref < best.ref)) best = head
  }
  if (best !== undefined && !named.has(best.ref)) out.push(best)
  return out
}

function wait<V> (pool: Map<Reference, V>, key: Reference, value: V): void {
  pool.set(key, value)
  if (pool.size > MAX_WAITING) pool.delete(pool.keys().next().value as Reference)
}
