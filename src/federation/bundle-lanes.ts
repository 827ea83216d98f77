/**
 * Lanes of our own domain that come with a file and that no peer would give us: proposals, which nobody exports yet (A3), work of closed keys (K5), and
 * internal lanes that another machine of ours wrote (L2). What a lane is worth is judged by what is held here and what the file says together.
 */
import { judgeRecord } from '../authority/judge-record.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type HeldBranch, type LaneKnowledge, liesOn } from '../authority/lane-knowledge.js'
import { cutsOf, hasRole, viewLane } from '../authority/lane-view.js'
import { forkEvidenceCodec } from '../publication/evidence.js'
import { INTERNAL, laneCodec, PUBLISHED, snapshotCodec } from '../publication/lane.js'
import type { KvOp } from '../substrate/ports.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { signatureCodec } from '../substrate/signature.js'
import type { BundleFault } from './bundle-intake.js'
import { bodyOp, branchOps, controlOps } from './ledger.js'

/** A lane of our own domain that came with the file and that no federate key exports yet. */
export interface Proposal { readonly lane: Reference, readonly principal: string, readonly records: number, readonly snapshot: Reference }

/** L5: lanes of one closed key that files may leave at the domain's owner. Whoever stole it can make any number, and nothing else bounds them. */
const CLOSED_LANES = 16
/** K5: the same of what lies beyond the cuts of a closed key's lanes: so many lanes, and so much of each, 42 bytes a record and at most 4096 of its body. */
const RECORDS_PAST_CUT = 65_536

/**
 * A3: the owner holds lanes of the domain's own principals that nobody vouches for yet, or beyond what was vouched for, so that a proposal made
 * elsewhere can be looked at and vouched for here; and what lies beyond a cut, so that it can be adopted (K5). Who only follows doesn't take them (L5).
 * They are in no view but the owner's.
 */
export function takeProposals (k: DomainKnowledge, file: DomainKnowledge, lanes: ReadonlySet<Reference>, own: boolean, noted: BundleFault[], commit: (ops: KvOp[]) => void): Proposal[] {
  const out: Proposal[] = []
  const closed = own ? closedLanes(k) : new Map<Hash, number>()
  const ended = own ? lanesPastCut(k) : new Map<Hash, number>()
  for (const v of file.view().lanes.values()) {
    const { branch } = v
    if (!lanes.has(v.knowledge.ref)) continue
    // K5: work past a cut counts for nothing and nobody passes it on, but its owner may want to adopt it.
    if (own && branch !== undefined && v.knowledge.lane.visibility === PUBLISHED && viewLane(v.knowledge, k.authority()).code === 'closed') {
      const { ref, lane: { principal } } = v.knowledge
      const others = closed.get(principal) ?? 0
      const isHeld = (k.lanes.get(ref)?.branches.length ?? 0) > 0
      if (!isHeld && others >= CLOSED_LANES) noted.push({ code: 'closed-lanes-bounded', offset: 0, ref })
      else if (takeLane(k, ref, file, commit) && !isHeld) closed.set(principal, others + 1)
      continue
    }
    const past = !own || branch === undefined || v.exported < v.limit ? undefined : pastCut(k, v.knowledge, branch)
    if (past !== undefined) {
      const { ref, lane: { principal } } = v.knowledge
      const others = ended.get(principal) ?? 0
      if (past.records > RECORDS_PAST_CUT || (past.isNew && others >= CLOSED_LANES)) noted.push({ code: 'closed-lanes-bounded', offset: 0, ref })
      else if (takeLane(k, ref, file, commit) && past.isNew) ended.set(principal, others + 1)
      continue
    }
    if (branch === undefined || v.rights === undefined || v.knowledge.lane.visibility !== PUBLISHED || v.exported >= branch.log.size) continue
    // Beyond its export a lane that stops there (a fork, a cut) isn't a proposal.
    if (v.exported >= v.limit) continue
    const { ref } = v.knowledge
    if (!own) {
      noted.push({ code: 'not-exported', offset: 0, ref })
      continue
    }
    takeLane(k, v.knowledge.ref, file, commit)
    out.push({ lane: ref, principal: v.knowledge.lane.principal, records: branch.log.size - v.exported, snapshot: branch.head.ref })
  }
  return out
}

/** How many lanes of each closed key are held. */
function closedLanes (k: DomainKnowledge): Map<Hash, number> {
  const out = new Map<Hash, number>()
  for (const v of k.view().lanes.values()) {
    const { principal } = v.knowledge.lane
    if (v.code === 'closed' && v.knowledge.branches.length > 0) out.set(principal, (out.get(principal) ?? 0) + 1)
  }
  return out
}

/** The same of lanes that a cut ends, and of which more is held than it leaves. */
function lanesPastCut (k: DomainKnowledge): Map<Hash, number> {
  const out = new Map<Hash, number>()
  for (const { knowledge: { lane: { principal, visibility }, held }, code, reach } of k.view().lanes.values()) {
    if (visibility === PUBLISHED && code !== 'closed' && held > reach) out.set(principal, (out.get(principal) ?? 0) + 1)
  }
  return out
}

/**
 * K3, K5: whether the file's log goes on from ours beyond the cut that ended the lane, and how far. undefined where it ends before that, or says something
 * else than ours does: one history of a lane is adopted, and which of two is honest nobody can tell. `isNew`: ours doesn't go beyond the cut yet.
 */
function pastCut (k: DomainKnowledge, from: LaneKnowledge, branch: HeldBranch): { records: number, isNew: boolean } | undefined {
  const { reach, status } = viewLane(from, k.authority())
  const { log } = branch
  if (from.lane.visibility !== PUBLISHED || status !== 'accepted' || log.size <= reach) return undefined
  const held = k.lanes.get(from.ref)?.branches.filter((b) => b.log.size >= reach && b.log.root(reach) === log.root(reach)) ?? []
  const size = Math.max(...held.map((b) => b.log.size))
  const goesOn = held.some((b) => b.log.size === size && size < log.size && log.root(size) === b.log.root())
  return goesOn ? { records: log.size - reach, isNew: size === reach } : undefined
}

/** Returns whether anything was taken. */
function takeLane (k: DomainKnowledge, ref: Reference, file: DomainKnowledge, commit: (ops: KvOp[]) => void): boolean {
  const from = file.lanes.get(ref)
  const branch = file.view().lanes.get(ref)?.branch
  return from !== undefined && branch !== undefined && takeBranch(k, from, branch, commit)
}

/** Returns whether the log is longer by it, or one more. */
function takeBranch (k: DomainKnowledge, from: LaneKnowledge, branch: HeldBranch, commit: (ops: KvOp[]) => void): boolean {
  k.admit(laneCodec.artifact(from.lane))
  k.admit(snapshotCodec.artifact(branch.head.snapshot))
  k.admit(signatureCodec.artifact(branch.head.signature))
  const lane = k.lanes.get(from.ref)
  const head = lane?.heads.get(branch.head.ref)
  if (lane === undefined || head === undefined || lane.branches.some((b) => liesOn(b.log, head))) return false
  const size = branch.log.size
  // The longest of ours that it goes on from; none: a log of its own, which proves a fork where there is one (E1).
  const ours = lane.branches.find((b) => b.log.size < size && branch.log.root(b.log.size) === b.log.root())
  const before = ours?.log.size ?? 0
  const extended = lane.extend(head, before, branch.log.leaves(before, size), ours)
  if (extended.result !== 'extended') return false
  for (const [hash, body] of from.bodies) lane.setBody(hash, body)
  k.touch()
  commit(branchOps(k, lane, extended.branch, before))
  if (lane.evidence !== undefined) commit(controlOps(k, [forkEvidenceCodec.reference(lane.evidence)]))
  return true
}

/**
 * L2, D3: internal lanes that another machine of ours wrote, so that what it decided counts here, too (D4). Only of keys that may decide, and none that
 * counts for nothing: whoever stole a key that was closed since would leave as many as he likes. Returns those that are held now.
 */
export function takeInternal (k: DomainKnowledge, file: DomainKnowledge, noted: BundleFault[], commit: (ops: KvOp[]) => void): Reference[] {
  const out: Reference[] = []
  for (const from of file.lanes.values()) {
    if (from.lane.visibility !== INTERNAL || from.branches.length === 0) continue
    const { ref } = from
    const v = viewLane(from, k.authority())
    const code = v.rights === undefined || v.code === 'closed' ? v.code : hasRole(v, 'federate') ? undefined : 'role-missing'
    if (code !== undefined) {
      noted.push({ code, offset: 0, ref })
      continue
    }
    const before = k.lanes.get(ref)
    // Who wrote the file may not have heard of the cut, or may not want to.
    takeWhole(k, from, Math.min(v.reach, before === undefined ? Infinity : viewLane(before, k.authority()).reach), commit)
    const held = k.lanes.get(ref) as LaneKnowledge
    const { limit } = viewLane(held, k.authority())
    if (limit < from.held) noted.push({ code: limit < held.held ? judgeRecord(k, ref, limit).code : 'cut', offset: 0, ref })
    out.push(ref)
  }
  return out
}

/** Every log that the file holds of it, the proof that there are several, and the heads that cuts name (K4): the next one to judge it shall come to the same. */
function takeWhole (k: DomainKnowledge, from: LaneKnowledge, reach: number, commit: (ops: KvOp[]) => void): void {
  k.admit(laneCodec.artifact(from.lane))
  const named = cutsOf(from, k.authority()).cuts.flatMap((cut) => from.heads.get(cut.snapshot) ?? [])
  for (const { snapshot, signature } of named) {
    k.admit(snapshotCodec.artifact(snapshot))
    k.admit(signatureCodec.artifact(signature))
  }
  const held = k.lanes.get(from.ref)
  for (const branch of from.branches) {
    // Behind the cut that ended it its key may have gone on for ever.
    const past = branch.log.size > reach && held?.branches.some((b) => b.log.size >= reach && b.log.root(reach) === branch.log.root(reach)) === true
    if (!past) takeBranch(k, from, branch, commit)
  }
  const lane = k.lanes.get(from.ref)
  if (lane === undefined) return
  if (from.evidence !== undefined) k.admit(forkEvidenceCodec.artifact(from.evidence))
  const lacking = [...from.bodies].filter(([hash]) => !lane.bodies.has(hash))
  for (const [hash, body] of lacking) lane.setBody(hash, body)
  k.touch()
  commit([
    ...lacking.map(([hash, body]) => bodyOp(from.ref, hash, body)),
    ...controlOps(k, [...named.flatMap((h) => [h.ref, lane.heads.get(h.ref)?.signatureRef ?? h.signatureRef]), ...lane.evidenceRef === undefined ? [] : [lane.evidenceRef]])
  ])
}
