/**
 * The asking side of /diad/sync/1 for one domain and one peer, as a generator: it yields requests and is resumed with their answers, so the very
 * same code runs over sockets and in virtual time. Nothing the peer says is believed: objects are judged, ranges are proved against signed heads,
 * and a log that differs from ours becomes evidence (RULES E1, E2) or costs the peer its credit.
 */
import { decodeArtifact, referenceOfArtifactBytes } from '../substrate/artifact.js'
import { MalformedError } from '../substrate/errors.js'
import { type Hash, NONE, type Reference, referenceBytes } from '../substrate/reference.js'
import { forkEvidenceCodec, makeEvidence } from '../publication/evidence.js'
import { LEAF_BYTES } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { consistencyRoots, verifyConsistency, verifyInclusion } from '../publication/merkle.js'
import { type ViewedLane, worthHaving } from '../authority/domain-view.js'
import type { Promises } from '../authority/exports.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { bodyOfLeaf, branchOf, type Head, type HeldBranch, isRefuted, type LaneKnowledge, liesOn, linkOf } from '../authority/lane-knowledge.js'
import { ask, type Asking, type Working, WrongAnswer } from './asking.js'
import { branchOps, controlOps, unpersistedOps } from './ledger.js'
import { WIRE } from './messages.js'
import { pullBodies } from './pull-bodies.js'
import { askedInVain, type Inventory, inTurn, mayAsk, tellDoubts, type Theirs, type Tried } from './pull-patience.js'
import { NO_HASH } from './serve-sync.js'
import { type PullSink, Staged } from './staging.js'
import { Together } from './together.js'

export type { Tried } from './pull-patience.js'
export type { PullSink } from './staging.js'

export type PullOutcome = 'unknown' | 'same' | 'updated' | 'refused'

/** Pages of one inventory that are read: 524,288 objects of one domain. */
const MAX_PAGES = 64
/** A provider whose state moves on while we read is read again this often, then left to the next round. */
const MAX_ROUNDS = 4
/** Fresh heads that a peer may offer, one for the other, without a single leaf before its log is left to the next pull. */
const MAX_IDLE = 4
/**
 * Bytes of bodies that ride along with one log before its last leaf is here; what goes beyond is asked for afterwards. The leaves themselves need no
 * bound of their own: each answer is proved against the signed head before the next is asked for, so what is staged is never more than one
 * answer ahead of what the lane's own key signed, and would be held in full a moment later.
 */
const MAX_STAGED_BODIES = 64 * 1024 * 1024

/** `tried` = of this peer, from its pulls before. `patient`: whoever answers is at hand, so that everything is asked at once. */
export function * pull (k: DomainKnowledge, sink: PullSink, tried: Tried = new WeakMap(), patient = false): Asking<PullOutcome> {
  let outcome: PullOutcome = 'same'
  let refused = false
  const watching: PullSink = { ...sink, refuse (code, ref, signed) { refused = true; sink.refuse(code, ref, signed) } }
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = k.revision
      const theirs = yield * inventory(k, k.inventoryDigest(), watching)
      if (theirs === 'unknown') return refused ? 'refused' : outcome === 'same' ? 'unknown' : outcome
      if (theirs !== 'same') yield * pullLogs(k, { ...theirs, tried, patient, principalOf: (lane) => k.lanes.get(lane)?.lane.principal, vain: new Map(), doubts: [] }, watching)
      yield * pullBodies(k, patient, watching)
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

/**
 * Reads the peer's inventory and takes what we lack of it, unless its digest is `known`. One page at a time: what a peer merely names is forgotten
 * before it names more, so that long lists cost no memory.
 */
function * inventory (k: DomainKnowledge, known: Hash, sink: PullSink): Asking<Inventory | 'unknown' | 'same'> {
  let staged: Staged | undefined
  let digest = known
  let after = referenceBytes(NONE)
  for (let page = 0; page < MAX_PAGES; page++) {
    const got = yield * ask({ t: 'inventory', id: 0, domain: k.domain, known, after })
    if (got.status !== 'unknown') sink.digest(got.status === 'same' ? known : got.digest)
    if (got.status !== 'held') {
      if (staged === undefined) return got.status
      break
    }
    if (staged === undefined) {
      // Of the first page: what moved while the others were read has moved.
      digest = got.digest
      staged = new Staged(k, sink)
    }
    staged.offerHeld(new Set(got.refs))
    yield * pullObjects(k, staged, got.refs.filter((r) => !k.has(r)), sink)
    const last = got.refs.at(-1)
    if (!got.more || last === undefined) break
    after = referenceBytes(last)
  }
  staged?.flush()
  const fresh = unpersistedOps(k)
  if (fresh.length > 0) sink.commit(fresh)
  return { digest, offered: staged?.offered ?? new Map<Reference, Map<Reference, Head>>() }
}

/** Asks for what a page of the inventory names and isn't held. */
function * pullObjects (k: DomainKnowledge, staged: Staged, lacking: readonly Reference[], sink: PullSink): Asking<void> {
  const waiting = new Set(lacking)
  while (waiting.size > 0) {
    const refs: Reference[] = []
    for (const r of waiting) if (refs.push(r) === WIRE.objectRefs) break
    refs.sort()
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
        staged.take(ref, decodeArtifact(bytes))
      } catch (err) {
        if (!(err instanceof MalformedError)) throw err
        sink.refuse('malformed', ref)
      }
    }
    staged.tellProofs()
    // What a full answer left out comes with the next one; an answer with nothing useful ends the matter.
    if (useful === 0) break
    if (got.artifacts.length > 0 && useful < refs.length && bytesOf(got.artifacts) < WIRE.answerBytes) for (const r of asked) waiting.delete(r)
  }
}

const bytesOf = (parts: Uint8Array[]): number => parts.reduce((n, p) => n + p.length, 0)

/** Brings each sought lane's log up to the greatest head that is known of it. Only what this peer offers is asked of it. */
function * pullLogs (k: DomainKnowledge, theirs: Theirs, sink: PullSink): Asking<void> {
  const done = new Set<Reference>()
  const together = new Together(theirs.patient)
  // Logs bring vouches, vouches bring lanes into view: go on until nothing new comes. A view costs as much as the domain has lanes, so all that one shows is
  // worked through before the next is taken.
  for (;;) {
    const sought = [...k.view().lanes.values()].filter((v) => v.sought && !done.has(v.knowledge.ref))
    if (sought.length === 0) break
    for (const { knowledge: lane } of sought) {
      done.add(lane.ref)
      const heads = theirs.offered.get(lane.ref)
      if (heads !== undefined) yield * together.add(pullLane(k, lane, heads, theirs, sink))
    }
    yield * together.settle()
  }
  tellDoubts(k.view().named, theirs, sink)
}

/** Asks for one lane's log. It pauses before what it was given is taken in, and looks at a fresh view whenever it goes on. */
function * pullLane (k: DomainKnowledge, lane: LaneKnowledge, heads: ReadonlyMap<Reference, Head>, theirs: Theirs, sink: PullSink): Working<void> {
  const viewed = k.view().lanes.get(lane.ref)
  if (viewed === undefined) return
  for (const head of inTurn(heads.values(), theirs)) {
    const branch = viewed.branch ?? lane.branches[0]
    const held = branch?.head.snapshot.log_size ?? 0
    if (isRefuted(lane, head)) {
      theirs.doubts.push({ head, code: 'bad-range' })
      continue
    }
    if ((branch !== undefined && liesOn(branch.log, head)) || lane.compared.has(head.ref)) continue
    // Beyond an ending cut nothing counts (K3), and whoever stole the key could make it as long as they like; nor does more than the domain exports of a
    // lane that can't export itself (A3). What the domain names is had all the same.
    if (k.view().named.has(head.ref) ? !mayAsk(lane, head, theirs, sink) : head.snapshot.log_size > worthHaving(viewed)) continue
    // Past a proven fork no longer branch counts (E4), but it may differ from ours earlier than what is proven (E3).
    if (branch !== undefined && lane.evidence !== undefined && held > lane.evidence.index) yield * findFork(k, lane, branch, head, theirs, sink)
    else yield * pullLog(k, lane, head, branch, theirs, sink)
  }
  yield * pullNamed(k, lane, [...heads.values()], theirs, sink)
}

/**
 * K4: a head that a cut names chooses the branch, so its log is held beside ours if it doesn't lie on it. Of heads that vouches name, which anybody with
 * such a key may name by the thousand, only what may export more is looked at, and only a log that does is taken (A2).
 */
function * pullNamed (k: DomainKnowledge, lane: LaneKnowledge, heads: readonly Head[], theirs: Theirs, sink: PullSink): Working<void> {
  const promised = (v: ViewedLane | undefined, head: Head): Promises | undefined => v?.unlinked.includes(head.ref) === true ? 'surely' : k.view().promising.get(head.ref)
  const before = k.view().lanes.get(lane.ref)
  for (const head of inTurn(heads.filter((h) => promised(before, h) !== undefined), theirs)) {
    const v = k.view().lanes.get(lane.ref)
    const promise = promised(v, head)
    if (v === undefined || promise === undefined || isRefuted(lane, head) || lane.branches.some((b) => liesOn(b.log, head))) continue
    if ((promise === 'if-anchored' && isApart(v, head)) || !mayAsk(lane, head, theirs, sink)) continue
    if (promise === 'surely' || (yield * hasAnchored(k, v, head, theirs, sink))) yield * pullLog(k, lane, head, undefined, theirs, sink)
  }
}

/** Up to which leaf a head was shown to lie off a log: a log only grows, so that stays true. */
const apart = new WeakMap<Head, WeakMap<LeafLog, number>>()

const isApart = ({ log, anchored }: ViewedLane, head: Head): boolean => log !== undefined && (apart.get(head)?.get(log) ?? Infinity) <= anchored

/** Whether the head's log begins with all that anchors settle of the lane, as its own consistency proof shows. */
function * hasAnchored (k: DomainKnowledge, { log, anchored, knowledge }: ViewedLane, head: Head, theirs: Theirs, sink: PullSink): Asking<boolean> {
  const { lane, log_size: second, log_root: root } = head.snapshot
  const got = yield * ask({ t: 'proofs', id: 0, domain: k.domain, lane, head: head.ref, sizes: [anchored] })
  const [proof] = got.proofs
  if (proof === undefined) {
    yield * moved(k, head, theirs, sink)
    return false
  }
  const roots = consistencyRoots({ first: anchored, second, path: proof.path })
  if (proof.size !== anchored || roots?.secondRoot !== root) {
    askedInVain(knowledge, head, theirs)
    sink.refuse('bad-range', head.ref)
    return false
  }
  if (log === undefined || roots.firstRoot === log.root(anchored)) return log !== undefined
  askedInVain(knowledge, head, theirs)
  apart.set(head, (apart.get(head) ?? new WeakMap<LeafLog, number>()).set(log, anchored))
  return false
}

/**
 * A head was not answered for. When the peer's state has moved since its inventory was read, that may have gone with it, and what it offers is read
 * again; otherwise it never meant to show the log (E2: a head whose log nobody will show has misled nobody). Returns whether it has moved.
 */
function * moved (k: DomainKnowledge, head: Head, theirs: Theirs, sink: PullSink): Asking<boolean> {
  const now = yield * inventory(k, theirs.digest, sink)
  if (now === 'same' || (now !== 'unknown' && now.offered.get(head.snapshot.lane)?.has(head.ref) === true)) {
    askedInVain(k.lanes.get(head.snapshot.lane) as LaneKnowledge, head, theirs)
    theirs.doubts.push({ head, code: 'log-withheld' })
    return false
  }
  sink.note('log-withheld', head.ref)
  if (now === 'unknown') return false
  theirs.digest = now.digest
  for (const [lane, heads] of now.offered) theirs.offered.set(lane, heads)
  return true
}

function * pullLog (k: DomainKnowledge, lane: LaneKnowledge, offered: Head, branch: HeldBranch | undefined, theirs: Theirs, sink: PullSink): Working<void> {
  let head = offered
  let { log_size: size, log_root: root } = head.snapshot
  const before = branch?.log.size ?? 0
  if (branch !== undefined && size <= before) {
    yield * findFork(k, lane, branch, head, theirs, sink)
    return
  }
  const staged = branch === undefined ? new LeafLog() : branch.log.clone()
  const bodies = new Map<Hash, Uint8Array>()
  let bytes = 0
  let idle = 0
  while (staged.size < size) {
    const from = staged.size
    const got = yield * ask({ t: 'leaves', id: 0, domain: k.domain, lane: lane.ref, head: head.ref, from })
    const count = got.leaves.length / LEAF_BYTES
    if (got.from !== from || count === 0 || !Number.isInteger(count) || from + count > size || got.bodies.length !== count) {
      if (!(yield * moved(k, head, theirs, sink)) || ++idle === MAX_IDLE) return
      // The consistency proof of the next answer covers what is staged, too: a log that grows all the time is read to its end all the same.
      const next = [...theirs.offered.get(lane.ref)?.values() ?? []].sort((a, b) => b.snapshot.log_size - a.snapshot.log_size).find((h) => !isRefuted(lane, h))
      if (next === undefined || next.snapshot.log_size <= size) return
      head = next
      size = head.snapshot.log_size
      root = head.snapshot.log_root
      continue
    }
    idle = 0
    staged.append(got.leaves)
    const proved = staged.size === size
      ? staged.root() === root
      : verifyConsistency({ first: staged.size, firstRoot: staged.root(), second: size, secondRoot: root, path: got.path })
    if (!proved) {
      // What was staged for one head may not lie below another one: then it is read afresh the next time.
      if (head !== offered) sink.note('log-withheld', head.ref)
      else if (branch === undefined) sink.refuse('bad-range', head.ref)
      else yield * findFork(k, lane, branch, head, theirs, sink)
      return
    }
    got.bodies.forEach((body, i) => {
      if (body.length === 0) return
      const hash = bodyOfLeaf(staged.leaf(from + i), body)
      if (hash === undefined) sink.refuse('reference-mismatch', head.ref)
      else if (bytes <= MAX_STAGED_BODIES) {
        bodies.set(hash, body)
        bytes += body.length
      }
    })
  }
  if (linkOf(staged, head) === 'false') {
    askedInVain(lane, head, theirs)
    theirs.doubts.push({ head, code: 'bad-range' })
    return
  }
  sink.arrived?.()
  yield bytes + (size - before) * LEAF_BYTES
  // Meanwhile the lane may have been let go, for want of room,
  if (k.lanes.get(lane.ref) !== lane) return
  const proofBefore = lane.evidence
  // and another peer's pull or gossip may have brought the same leaves.
  const extended = lane.extend(head, before, staged.leaves(before, size), branch)
  if (extended.result === 'old') return
  if (extended.result !== 'extended') {
    if (branch === undefined) sink.refuse('bad-range', head.ref)
    else yield * findFork(k, lane, branch, head, theirs, sink)
    return
  }
  const grown = extended.branch
  for (const [hash, body] of bodies) lane.setBody(hash, body)
  k.touch()
  sink.commit(branchOps(k, lane, grown, before))
  if (lane.evidence !== undefined && lane.evidence !== proofBefore) announceProof(k, lane, sink)
  yield 0
}

function announceProof (k: DomainKnowledge, lane: LaneKnowledge, sink: PullSink): void {
  const proof = forkEvidenceCodec.artifact(lane.evidence as NonNullable<LaneKnowledge['evidence']>)
  sink.commit(controlOps(k, [lane.ref, forkEvidenceCodec.reference(lane.evidence as NonNullable<LaneKnowledge['evidence']>)]))
  sink.evidence(proof)
}

/** E2: walks down to the first leaf at which the signed head's log differs from ours, every step proved by the head itself. */
function * findFork (k: DomainKnowledge, lane: LaneKnowledge, branch: HeldBranch, head: Head, theirs: Theirs, sink: PullSink): Working<void> {
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
      yield * moved(k, head, theirs, sink)
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
  if (leafHash === NO_HASH) {
    yield * moved(k, head, theirs, sink)
    return
  }
  if (!verifyInclusion({ leafHash, index: low, size, path, root })) {
    sink.refuse('bad-range', head.ref)
    return
  }
  const ours = branchOf(branch.head, branch.log.leafHash(low), branch.log.inclusion(low, branch.head.snapshot.log_size))
  const proof = makeEvidence(lane.ref, head.signature.public_key, low, ours, branchOf(head, leafHash, path))
  yield path.length * 32
  lane.compared.add(head.ref)
  if (lane.addEvidence(proof)) {
    k.touch()
    announceProof(k, lane, sink)
  }
  yield 0
}
