/**
 * Everything held about one domain, as a set: authority objects, lanes, heads, logs, bodies, evidence. What comes in is checked by bytes alone;
 * what it means is computed from the whole by {@link viewDomain}, so arrival order can't matter (R5). Content is elsewhere: only References here.
 */
import { type Artifact, referenceOfArtifact } from '../substrate/artifact.js'
import { fromHex, toHex } from '../substrate/bytes.js'
import { MalformedError } from '../substrate/errors.js'
import { sha256Bytes } from '../substrate/hasher.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { type Signature, signatureCodec, signatureHolds } from '../substrate/signature.js'
import { TAG } from '../substrate/type-tags.js'
import { type ForkEvidence, forkEvidenceCodec } from '../publication/evidence.js'
import { laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../publication/lane.js'
import { AuthorityObjects } from './authority-store.js'
import { type DomainView, servedHeads, shownLog, viewDomain } from './domain-view.js'
import { type Head, LaneKnowledge } from './lane-knowledge.js'
import { type Authority, resolveAuthority } from './manifest-chain.js'
import { WaitPool } from './wait-pool.js'

/**
 * What became of an object that was handed in. `added` is the only one that changes anything; `waiting` = good by itself and kept in a small pool
 * until the object comes that makes sense of it.
 */
export interface Admission {
  readonly ref: Reference
  readonly result: 'added' | 'known' | 'waiting' | 'rejected' | 'irrelevant'
  /** for `waiting`, `rejected` and `irrelevant`: the verdict code */
  readonly code: string
}

/** Anybody can make up Lanes, with keys of their own too: lanes that no view considers and of which no log is held are kept in this number. */
const MAX_STRAY_LANES = 256
/**
 * Of lanes with a head of a key that may open them, whose logs are still to come (L5), so many are kept besides: a domain may have opened thousands, one for
 * each job of its CI, and whoever joins it hears of all of them before their logs. About 16 MB; a stolen key could have them with logs as well.
 */
const MAX_SOUGHT_LANES = 4096
/** heads of one lane that may come between two views; the next view lets go of what nothing names */
const MAX_CROWD = 64

/** What is worked out once a revision. */
interface Memo {
  readonly revision: number
  exported?: DomainView
  all?: DomainView
  readonly served: Map<Reference, readonly Head[]>
  inventory?: readonly Reference[]
  offered?: ReadonlySet<Reference>
  digest?: Hash
  missing?: readonly Reference[]
  lacksBodies?: boolean
}

export class DomainKnowledge {
  readonly objects: AuthorityObjects
  readonly lanes = new Map<Reference, LaneKnowledge>()
  /** which lane holds a head, the signature of one, or a proof */
  private readonly holders = new Map<Reference, LaneKnowledge>()
  private ordered: readonly Reference[] | undefined
  /** counts changes of what views may rest on; they are computed once a revision */
  revision = 0
  private readonly bounded = (): boolean => !this.reading
  private readonly snapshots = new WaitPool<Reference, Snapshot>(this.bounded)
  private readonly signatures = new WaitPool<Reference, Signature>(this.bounded)
  private readonly proofs = new WaitPool<Reference, ForkEvidence>(this.bounded)
  /** refs of control objects that lie in the store */
  readonly persisted = new Set<Reference>()
  /** while reading the store, nothing is dropped for room: what is named shows only when all is there */
  reading = false
  /** lanes from which on strays are looked for */
  private laneMark = 2 * MAX_STRAY_LANES
  private resolved: { readonly revision: number, readonly authority: Authority } | undefined
  private memo: Memo = { revision: -1, served: new Map() }

  constructor (readonly domain: Reference) {
    this.objects = new AuthorityObjects(domain, this.bounded)
  }

  /** Takes one object. Never throws on bad bytes: the verdict says what was wrong. */
  admit (artifact: Artifact): Admission {
    const ref = referenceOfArtifact(artifact)
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
    if (this.lanes.size >= this.laneMark) this.dropStrays()
    const knowledge = new LaneKnowledge(ref, lane, this.holders)
    this.lanes.set(ref, knowledge)
    this.ordered = undefined
    for (const [at] of this.snapshots.waitingFor(ref)) this.pairUp(at)
    for (const [at, proof] of this.proofs.waitingFor(ref)) {
      this.proofs.delete(at)
      knowledge.addEvidence(proof)
    }
    return { ref, result: 'added', code: 'accepted' }
  }

  /** The oldest first, those without any head before all others. One that is dropped wrongly is offered again by whoever considers it. */
  private dropStrays (): void {
    if (this.reading) return
    const { lanes } = this.view()
    const sought: LaneKnowledge[] = []
    const others: LaneKnowledge[] = []
    for (const l of this.lanes.values()) {
      const v = lanes.get(l.ref)
      if (this.persisted.has(l.ref) || l.branches.length > 0 || v?.considered === true || (v?.exported ?? 0) > 0) continue
      if (v?.sought === true) sought.push(l)
      else others.push(l)
    }
    others.sort((a, b) => Math.min(a.heads.size, 1) - Math.min(b.heads.size, 1))
    for (const l of [...others.slice(0, -MAX_STRAY_LANES), ...sought.slice(0, -MAX_SOUGHT_LANES)]) {
      this.lanes.delete(l.ref)
      l.leave()
    }
    this.ordered = undefined
    this.revision++
    // In proportion: what is looked through each time are all of them.
    this.laneMark = this.lanes.size + Math.max(MAX_STRAY_LANES, this.lanes.size >> 2)
  }

  private takeSnapshot (ref: Reference, snapshot: Snapshot): Admission {
    if (this.lanes.get(snapshot.lane)?.heads.has(ref) === true) return { ref, result: 'known', code: 'accepted' }
    this.snapshots.add(ref, snapshot.lane, snapshot)
    return this.pairUp(ref) ? { ref, result: 'added', code: 'accepted' } : { ref, result: 'waiting', code: 'signature-missing' }
  }

  private takeSignature (ref: Reference, signature: Signature): Admission {
    const holder = this.holders.get(signature.target)
    const held = holder?.heads.get(signature.target)
    if (holder !== undefined && held !== undefined) {
      const better = holder.resign(held, signature, ref)
      if (better === 'bad-signature') return { ref, result: 'rejected', code: better }
      return { ref, result: better ? 'added' : 'known', code: 'accepted' }
    }
    // One that doesn't verify is refused alone and says nothing about its target (T1).
    if (!signatureHolds(signature)) return { ref, result: 'rejected', code: 'bad-signature' }
    const snapshot = this.snapshots.get(signature.target)
    const lane = snapshot === undefined ? undefined : this.lanes.get(snapshot.lane)
    if (snapshot !== undefined && lane !== undefined && lane.head(snapshot, signature) === 'bad-signature') return { ref, result: 'rejected', code: 'bad-signature' }
    this.signatures.add(ref, signature.target, signature)
    return this.pairUp(signature.target) ? { ref, result: 'added', code: 'accepted' } : { ref, result: 'waiting', code: 'target-missing' }
  }

  /** A head comes to life when its lane, its snapshot and a signature of the lane's key are all here. Returns whether it did. */
  private pairUp (snapshotRef: Reference): boolean {
    const snapshot = this.snapshots.get(snapshotRef)
    const lane = snapshot === undefined ? undefined : this.lanes.get(snapshot.lane)
    if (snapshot === undefined || lane === undefined) return false
    for (const [at, signature] of this.signatures.waitingFor(snapshotRef)) {
      this.signatures.delete(at)
      const head = lane.head(snapshot, signature)
      if (head === 'bad-signature') continue
      this.snapshots.delete(snapshotRef)
      // A fresh view, so that what was named a moment ago isn't pushed out.
      if (lane.crowd >= MAX_CROWD && !this.reading) this.view()
      lane.addHead(head)
      return true
    }
    return false
  }

  private takeEvidence (ref: Reference, proof: ForkEvidence): Admission {
    const lane = this.lanes.get(proof.lane)
    if (lane === undefined) {
      this.proofs.add(ref, proof.lane, proof)
      return { ref, result: 'waiting', code: 'lane-missing' }
    }
    if (lane.evidenceRef === ref) return { ref, result: 'known', code: 'accepted' }
    const before = lane.evidence
    if (before !== undefined && proof.index > before.index) return { ref, result: 'irrelevant', code: 'superseded' }
    if (lane.addEvidence(proof)) return { ref, result: 'added', code: 'accepted' }
    return before !== undefined && proof.index === before.index ? { ref, result: 'irrelevant', code: 'superseded' } : { ref, result: 'rejected', code: 'bad-evidence' }
  }

  /** Call after changing a lane's logs, heads or bodies directly. */
  touch (): void {
    this.revision++
  }

  private fresh (): Memo {
    if (this.memo.revision !== this.revision) this.memo = { revision: this.revision, served: new Map() }
    return this.memo
  }

  /** Lanes in the order in which views go through them. */
  readonly order = (): readonly Reference[] => (this.ordered ??= [...this.lanes.keys()].sort())

  /** Asked very often: remembered here, too. */
  readonly authority = (): Authority => {
    const { revision } = this.objects
    if (this.resolved?.revision !== revision) this.resolved = { revision, authority: resolveAuthority(this.objects, this.domain) }
    return this.resolved.authority
  }

  /** What the domain exports: the view of every follower. */
  view (): DomainView {
    const memo = this.fresh()
    if (memo.exported === undefined) {
      memo.exported = viewDomain(this)
      if (!this.reading) this.trimHeads(memo.exported)
    }
    return memo.exported
  }

  private trimHeads (view: DomainView): void {
    for (const v of view.lanes.values()) {
      const lane = v.knowledge
      if (!lane.crowded) continue
      const served = new Set(servedHeads(v, view).map((h) => h.ref))
      lane.trim((ref) => served.has(ref) || view.named.has(ref))
    }
  }

  /** The owner's own view: visible and internal lanes too. */
  viewAll (): DomainView {
    const memo = this.fresh()
    return (memo.all ??= viewDomain(this, { all: true }))
  }

  /** The heads of a lane that others may have; none where the lane isn't shown at all. Computed once a revision. */
  served (lane: Reference): readonly Head[] {
    const { served } = this.fresh()
    let out = served.get(lane)
    if (out === undefined) {
      const view = this.view()
      const v = view.lanes.get(lane)
      out = v === undefined || (!v.considered && v.exported === 0) ? [] : servedHeads(v, view)
      served.set(lane, out)
    }
    return out
  }

  /** The control objects that this domain's state consists of: what is kept, served and put into bundles. Sorted. */
  inventory (): readonly Reference[] {
    const memo = this.fresh()
    return (memo.inventory ??= [...this.offered()].sort())
  }

  /** As a set: what anybody may ask for. */
  offered (): ReadonlySet<Reference> {
    const memo = this.fresh()
    return (memo.offered ??= this.collectOffered())
  }

  private collectOffered (): Set<Reference> {
    const out = new Set<Reference>(this.objects.relevant(this.domain))
    for (const [ref, v] of this.view().lanes) {
      if (!v.considered && v.exported === 0) continue
      if (v.knowledge.lane.visibility !== PUBLISHED) continue
      out.add(ref)
      for (const head of this.served(ref)) {
        out.add(head.ref)
        out.add(head.signatureRef)
      }
      const proof = v.knowledge.evidenceRef
      if (proof !== undefined) out.add(proof)
    }
    return out
  }

  /** Equal where two nodes have nothing to tell each other: over the inventory, then the heads in it whose log isn't held here. */
  inventoryDigest (): Hash {
    const memo = this.fresh()
    // One hex text for all: a call may not have as many arguments as a large domain has objects.
    return (memo.digest ??= toHex(sha256Bytes(fromHex([...this.inventory(), ...this.bareHeads()].join('')))) as Hash)
  }

  private bareHeads (): Reference[] {
    const view = this.view()
    const out: Reference[] = []
    for (const [ref, v] of view.lanes) for (const head of this.served(ref)) if (shownLog(v, head, view) === undefined) out.push(head.ref)
    return out.sort()
  }

  /** Whether a control object is held, without making its bytes. */
  has (ref: Reference): boolean {
    return this.objects.has(ref) || this.lanes.has(ref) || this.holders.has(ref)
  }

  /** The artifact of a control object, or undefined when it isn't held. */
  artifact (ref: Reference): Artifact | undefined {
    const object = this.objects.artifact(ref)
    if (object !== undefined) return object
    const lane = this.lanes.get(ref)
    if (lane !== undefined) return laneCodec.artifact(lane.lane)
    const holder = this.holders.get(ref)
    if (holder === undefined) return undefined
    const head = holder.heads.get(ref)
    if (head !== undefined) return snapshotCodec.artifact(head.snapshot)
    if (holder.evidence !== undefined && holder.evidenceRef === ref) return forkEvidenceCodec.artifact(holder.evidence)
    const signed = holder.signedBy(ref)
    return signed === undefined ? undefined : signatureCodec.artifact(signed.signature)
  }

  /** Objects that held ones name and that aren't here, in a fixed order. */
  missing (): readonly Reference[] {
    const memo = this.fresh()
    return (memo.missing ??= this.collectMissing())
  }

  /** Whether an exported leaf names a body that isn't held and isn't erased. */
  lacksBodies (): boolean {
    const memo = this.fresh()
    return (memo.lacksBodies ??= [...this.view().lanes.values()].some((v) => v.judged.some((j, i) => j.code === 'body-missing' && i < v.exported)))
  }

  private collectMissing (): Reference[] {
    const view = this.view()
    const out = new Set<Reference>([...this.objects.missing(this.domain), ...view.withheld])
    for (const v of view.lanes.values()) {
      for (const ref of v.unlinked) if (!v.knowledge.heads.has(ref)) out.add(ref)
    }
    return [...out].sort()
  }
}
