/**
 * Objects that one peer's inventory brings, on their way into the knowledge of a domain: what only makes sense together is handed in together, whatever
 * order it came in, and what the peer offers is remembered for as long as it is asked about it.
 */
import type { Artifact } from '../substrate/artifact.js'
import { MalformedError } from '../substrate/errors.js'
import type { KvOp } from '../substrate/ports.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { signatureCodec } from '../substrate/signature.js'
import { TAG } from '../substrate/type-tags.js'
import { forkEvidenceCodec } from '../publication/evidence.js'
import { type Snapshot, snapshotCodec } from '../publication/lane.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type Head, liesOn } from '../authority/lane-knowledge.js'

/** Where a pull puts what it found. Called between requests only. */
export interface PullSink {
  commit: (ops: KvOp[]) => void
  /** something of the peer's was refused; `ref` names it. `signed`: it is what a key of the domain signed, so it says little of its bearer */
  refuse: (code: string, ref: Reference, signed?: boolean) => void
  /** something true that changes nothing, like a head older than ours */
  note: (code: string, ref: Reference) => void
  /** a proof that lowers the lane's index: spread it first */
  evidence: (proof: Artifact) => void
  /** the peer's state as it says now, which is newer than its hello */
  digest: (digest: Hash) => void
  /** something came that counts, and is taken in when more has */
  arrived?: () => void
  /** the pull asked for as much as it may, and the peer has more that wasn't asked for yet */
  more?: () => void
}

/** Lanes, heads and their signatures that are put aside until all of an inventory has come, so that each head meets its lane: about 10 MB. */
const MAX_STAGED_OBJECTS = 32_768

/**
 * Heads of one lane that a peer offers, remembered besides those that something names: the greatest. An honest one offers one; more only tell of forks, and
 * of what isn't told in one pull the next one hears.
 */
const MAX_OFFERED = 64

/** Heads that a peer offers, by lane. Kept apart from what is held: a flood of other heads must not push them out before their logs were asked for. */
export type Offered = Map<Reference, Map<Reference, Head>>

/** Objects of one inventory on their way in: what only makes sense together is handed in together, whatever order it came in. */
export class Staged {
  private readonly lanes: Artifact[] = []
  private readonly snapshots = new Map<Reference, Artifact>()
  private readonly signatures = new Map<Reference, Artifact[]>()
  private readonly proofs: Artifact[] = []
  private count = 0
  readonly offered: Offered = new Map()

  /** heads in `offered` that nothing names, by lane */
  private readonly loose = new Map<Reference, number>()
  private readonly named: ReadonlySet<Reference>

  constructor (private readonly k: DomainKnowledge, private readonly sink: PullSink) {
    this.named = k.view().named
  }

  /** `page`: some of what the peer offers. What is held of it needn't come, and is offered all the same. */
  offerHeld (page: ReadonlySet<Reference>): void {
    for (const lane of this.k.lanes.values()) {
      for (const head of lane.heads.values()) {
        if (!page.has(head.ref)) continue
        this.offer(lane.ref, head)
        // A head that others name is shown by everybody and says nothing about its bearer.
        const { log_size: size } = head.snapshot
        if (!this.named.has(head.ref) && lane.branches.some((b) => b.log.size > size && liesOn(b.log, head))) this.sink.note('superseded', head.ref)
      }
    }
  }

  private offer (lane: Reference, head: Head): void {
    const ofLane = this.offered.get(lane) ?? new Map<Reference, Head>()
    this.offered.set(lane, ofLane)
    if (ofLane.has(head.ref)) return
    ofLane.set(head.ref, head)
    if (this.named.has(head.ref)) return
    const loose = (this.loose.get(lane) ?? 0) + 1
    this.loose.set(lane, loose)
    if (loose >= 2 * MAX_OFFERED) this.trim(lane, ofLane)
  }

  private trim (lane: Reference, ofLane: Map<Reference, Head>): void {
    const loose = [...ofLane.values()].filter((h) => !this.named.has(h.ref))
    loose.sort((a, b) => b.snapshot.log_size - a.snapshot.log_size || (a.ref < b.ref ? -1 : 1))
    for (const head of loose.slice(MAX_OFFERED)) ofLane.delete(head.ref)
    this.loose.set(lane, MAX_OFFERED)
  }

  /** Throws `MalformedError`. */
  take (ref: Reference, artifact: Artifact): void {
    if (artifact.typeTag === TAG.lane) this.lanes.push(artifact)
    else if (artifact.typeTag === snapshotCodec.tag) this.snapshots.set(ref, artifact)
    else {
      const signature = artifact.typeTag === signatureCodec.tag ? signatureCodec.from(artifact) : undefined
      if (signature?.purpose !== 'snapshot') {
        this.admit(artifact)
        return
      }
      const others = this.signatures.get(signature.target)
      if (others === undefined) this.signatures.set(signature.target, [artifact])
      else others.push(artifact)
    }
    if (++this.count >= MAX_STAGED_OBJECTS) this.flush()
  }

  flush (): void {
    const { k } = this
    // Each lane with its heads, so that no lane stands without one in between.
    const byLane = new Map<Reference, Array<[Reference, Artifact]>>()
    for (const [ref, artifact] of this.snapshots) {
      const snapshot = this.judged(ref, () => snapshotCodec.from(artifact))
      if (snapshot === undefined) continue
      this.noteSuperseded(ref, snapshot)
      const ofLane = byLane.get(snapshot.lane)
      if (ofLane === undefined) byLane.set(snapshot.lane, [[ref, artifact]])
      else ofLane.push([ref, artifact])
    }
    const heads = (lane: Reference): void => {
      for (const [ref, artifact] of byLane.get(lane) ?? []) {
        this.admit(artifact)
        for (const s of this.signatures.get(ref) ?? []) this.admit(s)
        this.signatures.delete(ref)
        const head = k.lanes.get(lane)?.heads.get(ref)
        if (head !== undefined) this.offer(lane, head)
      }
      byLane.delete(lane)
    }
    for (const artifact of this.lanes) heads(this.admit(artifact))
    for (const lane of [...byLane.keys()]) heads(lane)
    for (const list of this.signatures.values()) for (const s of list) this.admit(s)
    this.lanes.length = 0
    this.snapshots.clear()
    this.signatures.clear()
    this.count = 0
    this.tellProofs()
    // Of a lane that there was no room for nothing is asked: when something considers it, it comes again (L5).
    for (const lane of this.offered.keys()) {
      if (k.lanes.has(lane)) continue
      this.offered.delete(lane)
      this.loose.delete(lane)
    }
  }

  /** An old head is true and changes nothing: a follower never goes back (S5). */
  private noteSuperseded (ref: Reference, s: Snapshot): void {
    const branches = this.k.lanes.get(s.lane)?.branches ?? []
    if (branches.some((b) => b.log.size > s.log_size && b.log.root(s.log_size) === s.log_root)) this.sink.note('superseded', ref)
  }

  private judged<T> (ref: Reference, read: () => T): T | undefined {
    try {
      return read()
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      this.sink.refuse('malformed', ref)
      return undefined
    }
  }

  private admit (artifact: Artifact): Reference {
    const { ref, result, code } = this.k.admit(artifact)
    if (result === 'rejected') this.sink.refuse(code, ref)
    else if (result === 'irrelevant') this.sink.note(code, ref)
    else if (result === 'added' && artifact.typeTag === forkEvidenceCodec.tag) this.proofs.push(artifact)
    return ref
  }

  /** Has the proofs spread that came since the last call: one look at the domain for all of them. */
  tellProofs (): void {
    if (this.proofs.length === 0) return
    const { lanes } = this.k.view()
    // A lane that nothing in the domain names concerns nobody (L5).
    for (const proof of this.proofs.splice(0)) if (lanes.get(forkEvidenceCodec.from(proof).lane)?.considered === true) this.sink.evidence(proof)
  }
}
