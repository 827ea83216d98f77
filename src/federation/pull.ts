/**
 * The asking side of /diad/sync/1 for one domain and one peer, as a generator: it yields requests and is resumed with their answers, so the very
 * same code runs over sockets and in virtual time. Nothing the peer says is believed: objects are judged, ranges are proved against signed heads,
 * and a log that differs from ours becomes evidence (RULES E1, E2) or costs the peer its credit.
 */
import { type Artifact, decodeArtifact, referenceOfArtifactBytes } from '../substrate/artifact.js'
import { MalformedError } from '../substrate/errors.js'
import type { KvOp } from '../substrate/ports.js'
import { type Hash, NONE, type Reference, referenceBytes } from '../substrate/reference.js'
import { signatureCodec } from '../substrate/signature.js'
import { forkEvidenceCodec, makeEvidence } from '../publication/evidence.js'
import { type Snapshot, snapshotCodec } from '../publication/lane.js'
import { LEAF_BYTES } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { consistencyRoots, verifyConsistency, verifyInclusion } from '../publication/merkle.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { branchOf, type Head, type HeldBranch, type LaneKnowledge } from '../authority/lane-knowledge.js'
import { bodyOp, branchOps, controlOps, unpersistedOps } from './ledger.js'
import { type AnswerTo, type SyncAnswer, type SyncRequest, WIRE } from './messages.js'

/** Where a pull puts what it found. Called between requests only. */
export interface PullSink {
  commit: (ops: KvOp[]) => void
  /** something of the peer's was refused; `ref` names it */
  refuse: (code: string, ref: Reference) => void
  /** something true that changes nothing, like a head older than ours */
  note: (code: string, ref: Reference) => void
  /** a proof that lowers the lane's index: spread it first */
  evidence: (proof: Artifact) => void
}

export type PullOutcome = 'unknown' | 'same' | 'updated' | 'refused'
type Asking<T> = Generator<SyncRequest, T, SyncAnswer>

/** Pages of one inventory that are read: 524,288 objects of one domain. */
const MAX_PAGES = 64
/** A provider whose state moves on while we read is read again this often, then left to the next round. */
const MAX_ROUNDS = 4

/** Thrown inside a pull when the answer isn't of the request's kind; the peer is refused as a whole. */
class WrongAnswer extends Error {}

function * ask<R extends SyncRequest> (request: R): Asking<AnswerTo<R>> {
  const got = yield request
  if (got.t !== `${request.t}-answer`) throw new WrongAnswer(got.t)
  return got as AnswerTo<R>
}

export function * pull (k: DomainKnowledge, sink: PullSink): Asking<PullOutcome> {
  let outcome: PullOutcome = 'same'
  let refused = false
  const watching: PullSink = { ...sink, refuse (code, ref) { refused = true; sink.refuse(code, ref) } }
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = k.revision
      const theirs = yield * inventory(k)
      if (theirs === 'unknown') return refused ? 'refused' : outcome === 'same' ? 'unknown' : outcome
      if (theirs !== 'same') {
        yield * pullObjects(k, theirs, watching)
        yield * pullLogs(k, new Set(theirs), watching)
      }
      yield * pullBodies(k, watching)
      const fresh = unpersistedOps(k)
      if (fresh.length > 0) sink.commit(fresh)
      if (k.revision === before) break
      outcome = 'updated'
    }
  } catch (err) {
    if (!(err instanceof WrongAnswer)) throw err
    watching.refuse('wrong-answer', k.domain)
  }
  return refused && outcome === 'same' ? 'refused' : outcome
}

function * inventory (k: DomainKnowledge): Asking<Reference[] | 'unknown' | 'same'> {
  const refs: Reference[] = []
  let after = referenceBytes(NONE)
  const known = k.inventoryDigest()
  for (let page = 0; page < MAX_PAGES; page++) {
    const got = yield * ask({ t: 'inventory', id: 0, domain: k.domain, known, after })
    if (got.status !== 'held') return got.status
    refs.push(...got.refs)
    const last = got.refs.at(-1)
    if (!got.more || last === undefined) break
    after = referenceBytes(last)
  }
  return refs
}

function * pullObjects (k: DomainKnowledge, theirs: Reference[], sink: PullSink): Asking<void> {
  const wanted = theirs.filter((r) => k.artifact(r) === undefined)
  noteOldHeads(k, new Set(theirs), sink)
  const snapshots = new Map<Reference, Artifact>()
  const signatures = new Map<Reference, Artifact[]>()
  const added = new Set<Reference>()
  const admit = (artifact: Artifact): void => {
    const { ref, result, code } = k.admit(artifact)
    if (result === 'rejected') sink.refuse(code, ref)
    else if (result === 'irrelevant') sink.note(code, ref)
    else if (result === 'added') {
      added.add(ref)
      if (artifact.typeTag === forkEvidenceCodec.tag && code === 'accepted') sink.evidence(artifact)
    }
  }
  const waiting = new Set(wanted)
  while (waiting.size > 0) {
    const refs = [...waiting].slice(0, WIRE.objectRefs).sort()
    const got = yield * ask({ t: 'objects', id: 0, domain: k.domain, refs })
    const asked = new Set<Reference>(refs)
    let useful = 0
    for (const bytes of got.artifacts) {
      const ref = referenceOfArtifactBytes(bytes)
      // An object is what its bytes hash to; one that wasn't asked for is not looked at.
      if (!asked.delete(ref)) {
        sink.refuse('reference-mismatch', ref)
        continue
      }
      useful++
      waiting.delete(ref)
      try {
        const artifact = decodeArtifact(bytes)
        if (artifact.typeTag === snapshotCodec.tag) snapshots.set(ref, artifact)
        else if (artifact.typeTag === signatureCodec.tag && signatureCodec.from(artifact).purpose === 'snapshot') {
          const { target } = signatureCodec.from(artifact)
          signatures.set(target, [...signatures.get(target) ?? [], artifact])
        } else admit(artifact)
      } catch (err) {
        if (!(err instanceof MalformedError)) throw err
        sink.refuse('malformed', ref)
      }
    }
    // What a full answer left out comes with the next one; an answer with nothing useful ends the matter.
    if (useful === 0) break
    if (got.artifacts.length > 0 && useful < refs.length && bytesOf(got.artifacts) < WIRE.answerBytes) for (const r of asked) waiting.delete(r)
  }
  for (const [ref, artifact] of snapshots) {
    noteSuperseded(k, ref, snapshotCodec.from(artifact), sink)
    admit(artifact)
    for (const s of signatures.get(ref) ?? []) admit(s)
  }
  for (const [ref, list] of signatures) if (!snapshots.has(ref)) list.forEach(admit)
  const relevant = new Set(k.inventory())
  const keep = [...added].filter((r) => relevant.has(r))
  if (keep.length > 0) sink.commit(controlOps(k, keep))
}

const bytesOf = (parts: Uint8Array[]): number => parts.reduce((n, p) => n + p.length, 0)

/** Heads that we hold and the peer shows, though a newer one has overtaken them. Those that others name are shown by everybody and say nothing. */
function noteOldHeads (k: DomainKnowledge, theirs: ReadonlySet<Reference>, sink: PullSink): void {
  const { named } = k.view()
  for (const lane of k.lanes.values()) {
    for (const head of lane.heads.values()) if (theirs.has(head.ref) && !named.has(head.ref)) noteSuperseded(k, head.ref, head.snapshot, sink)
  }
}

/** An old head is true and changes nothing: a follower never goes back (S5). */
function noteSuperseded (k: DomainKnowledge, ref: Reference, s: Snapshot, sink: PullSink): void {
  const lane = k.lanes.get(s.lane)
  const newer = lane?.branches.some((b) => b.head.snapshot.log_size > s.log_size && b.log.root(s.log_size) === s.log_root) ?? false
  if (newer) sink.note('superseded', ref)
}

/** Brings each considered lane's log up to the greatest head that is known of it. */
function * pullLogs (k: DomainKnowledge, theirs: ReadonlySet<Reference>, sink: PullSink): Asking<void> {
  const done = new Set<Reference>()
  // Logs bring vouches, vouches bring lanes into view: go on until nothing new comes.
  for (;;) {
    const next = [...k.view().lanes.values()].find((v) => v.considered && !done.has(v.knowledge.ref))
    if (next === undefined) return
    done.add(next.knowledge.ref)
    const lane = next.knowledge
    // Only what this peer offers: another one's heads are none of its business.
    const heads = [...lane.heads.values()].filter((h) => theirs.has(h.ref)).sort((a, b) => b.snapshot.log_size - a.snapshot.log_size)
    for (const head of heads) {
      const branch = next.branch ?? lane.branches[0]
      const held = branch?.head.snapshot.log_size ?? 0
      const onLog = branch !== undefined && head.snapshot.log_size <= held && branch.log.root(head.snapshot.log_size) === head.snapshot.log_root
      if (onLog || lane.compared.has(head.ref)) continue
      // Past a proven fork no longer branch counts (E4), but it may differ from ours earlier than what is proven (E3).
      if (branch !== undefined && lane.evidence !== undefined && held > lane.evidence.index) yield * findFork(k, lane, branch, head, sink)
      else yield * pullLog(k, lane, head, branch, sink)
    }
    // K4: a head that a cut names chooses the branch. If it doesn't lie on ours, its log is held beside ours.
    for (const ref of k.view().lanes.get(lane.ref)?.unlinked ?? []) {
      const head = lane.heads.get(ref)
      if (head !== undefined && theirs.has(ref) && (lane.held >= head.snapshot.log_size || lane.evidence !== undefined)) yield * pullLog(k, lane, head, undefined, sink)
    }
  }
}

function * pullLog (k: DomainKnowledge, lane: LaneKnowledge, head: Head, branch: HeldBranch | undefined, sink: PullSink): Asking<void> {
  const { log_size: size, log_root: root } = head.snapshot
  const before = branch?.log.size ?? 0
  if (branch !== undefined && size <= before) {
    yield * findFork(k, lane, branch, head, sink)
    return
  }
  const staged = branch === undefined ? new LeafLog() : branch.log.clone()
  const bodies: Uint8Array[] = []
  while (staged.size < size) {
    const from = staged.size
    const got = yield * ask({ t: 'leaves', id: 0, domain: k.domain, lane: lane.ref, head: head.ref, from })
    const count = got.leaves.length / LEAF_BYTES
    if (got.from !== from || count === 0 || !Number.isInteger(count) || from + count > size || got.bodies.length !== count) {
      // A head whose log nobody will show has misled nobody (E2).
      sink.refuse('log-withheld', head.ref)
      return
    }
    staged.append(got.leaves)
    const proved = staged.size === size
      ? staged.root() === root
      : verifyConsistency({ first: staged.size, firstRoot: staged.root(), second: size, secondRoot: root, path: got.path })
    if (!proved) {
      if (branch === undefined) sink.refuse('bad-range', head.ref)
      else yield * findFork(k, lane, branch, head, sink)
      return
    }
    bodies.push(...got.bodies)
  }
  const proofBefore = lane.evidence
  // Another peer's pull or gossip may have brought the same leaves meanwhile.
  const extended = lane.extend(head, before, staged.leaves(before, size), branch)
  if (extended.result === 'old') return
  if (extended.result !== 'extended') {
    if (branch === undefined) sink.refuse('bad-range', head.ref)
    else yield * findFork(k, lane, branch, head, sink)
    return
  }
  const grown = extended.branch
  bodies.forEach((body, i) => {
    if (body.length > 0 && lane.addBody(grown, before + i, body) === undefined) sink.refuse('reference-mismatch', head.ref)
  })
  k.touch()
  sink.commit(branchOps(k, lane, grown, before))
  if (lane.evidence !== undefined && lane.evidence !== proofBefore) announceProof(k, lane, sink)
}

function announceProof (k: DomainKnowledge, lane: LaneKnowledge, sink: PullSink): void {
  const proof = forkEvidenceCodec.artifact(lane.evidence as NonNullable<LaneKnowledge['evidence']>)
  sink.commit(controlOps(k, [lane.ref, forkEvidenceCodec.reference(lane.evidence as NonNullable<LaneKnowledge['evidence']>)]))
  sink.evidence(proof)
}

/** E2: walks down to the first leaf at which the signed head's log differs from ours, every step proved by the head itself. */
function * findFork (k: DomainKnowledge, lane: LaneKnowledge, branch: HeldBranch, head: Head, sink: PullSink): Asking<void> {
  const { log_size: size, log_root: root } = head.snapshot
  const common = Math.min(size, branch.head.snapshot.log_size)
  // Only a difference below the proven one would change anything (E3).
  const bound = Math.min(common, lane.evidence?.index ?? common)
  let low = 0
  let high = bound + 1
  while (high - low > 1) {
    const span = high - low
    const sizes = [...new Set(Array.from({ length: WIRE.proofSizes }, (_, i) => low + Math.ceil((i + 1) * span / (WIRE.proofSizes + 1))))].filter((n) => n > low && n < high)
    const got = yield * ask({ t: 'proofs', id: 0, domain: k.domain, lane: lane.ref, head: head.ref, sizes })
    let learned = false
    for (const { size: first, path } of got.proofs) {
      const roots = consistencyRoots({ first, second: size, path })
      if (roots?.secondRoot !== root || !sizes.includes(first)) {
        sink.refuse('bad-range', head.ref)
        return
      }
      if (roots.firstRoot === branch.log.root(first)) {
        if (first > low && first < high) { low = first; learned = true }
      } else if (first < high && first > low) { high = first; learned = true }
    }
    if (!learned) {
      sink.refuse('log-withheld', head.ref)
      return
    }
  }
  // `low` leaves are common; if that is all of the shorter log, the heads agree and it was the leaves that lied.
  if (low >= bound) {
    if (bound < common) lane.compared.add(head.ref)
    else sink.refuse('bad-range', head.ref)
    return
  }
  const got = yield * ask({ t: 'inclusion', id: 0, domain: k.domain, lane: lane.ref, head: head.ref, index: low })
  const { leaf_hash: leafHash, path } = got
  if (!verifyInclusion({ leafHash, index: low, size, path, root })) {
    sink.refuse('bad-range', head.ref)
    return
  }
  const ours = branchOf(branch.head, branch.log.leafHash(low), branch.log.inclusion(low, branch.head.snapshot.log_size))
  const proof = makeEvidence(lane.ref, head.signature.public_key, low, ours, branchOf(head, leafHash, path))
  lane.compared.add(head.ref)
  if (lane.addEvidence(proof)) {
    k.touch()
    announceProof(k, lane, sink)
  }
}

/** Asks for bodies that exported leaves name and that aren't held. */
function * pullBodies (k: DomainKnowledge, sink: PullSink): Asking<void> {
  for (const v of k.view().lanes.values()) {
    const lane = v.knowledge
    const lacking = v.judged.slice(0, v.exported).flatMap((j, index) => j.code === 'body-missing' ? [{ hash: j.leaf.body_hash, index }] : [])
    for (let i = 0; i < lacking.length; i += WIRE.objectRefs) {
      const hashes = [...new Set<Hash>(lacking.slice(i, i + WIRE.objectRefs).map((l) => l.hash))].sort()
      const got = yield * ask({ t: 'bodies', id: 0, domain: k.domain, lane: lane.ref, hashes })
      const ops: KvOp[] = []
      for (const { index, body } of got.bodies) {
        const hash = v.branch !== undefined && index < v.branch.log.size ? lane.addBody(v.branch, index, body) : undefined
        if (hash === undefined) sink.refuse('reference-mismatch', lane.ref)
        else ops.push(bodyOp(lane.ref, hash, body))
      }
      if (ops.length === 0) break
      k.touch()
      sink.commit(ops)
    }
  }
}
