/**
 * Gossip: what is said of a new head, and how a message is judged before it is forwarded. What we wouldn't believe ourselves we don't pass on.
 * Source: RULES A3, E3, L5, S1; THREATS 14, 23.
 */
import { decodeArtifact, encodeArtifact } from '../substrate/artifact.js'
import type { KvOp } from '../substrate/ports.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { signatureCodec } from '../substrate/signature.js'
import { forkEvidenceCodec } from '../publication/evidence.js'
import { laneCodec, PUBLISHED, snapshotCodec } from '../publication/lane.js'
import { LEAF_BYTES, readLeaf } from '../publication/leaf.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type Head, type HeldBranch, LaneKnowledge, liesOn, linkOf } from '../authority/lane-knowledge.js'
import { bodyOp, branchOps, unpersistedOps } from './ledger.js'
import { type Gossip, WIRE } from './messages.js'
import { worthHaving } from '../authority/domain-view.js'
import { viewLane } from '../authority/lane-view.js'
import { leafAnswer, servedLog } from './serve-sync.js'

export type GossipJudgement = 'accept' | 'ignore' | 'reject'

/** What follows from a message beside its judgement. */
export interface GossipSink {
  /** ops that make durable what was taken; the domain changed */
  taken: (ops: KvOp[]) => void
  refuse: (code: string, ref: Reference) => void
  /** the sender may have something for us; `news` = it must, whatever it said in its last hello */
  pull: (news: boolean) => void
  /** the sender's state, as it says itself */
  digest: (digest: Hash) => void
}

/** Throws `MalformedError` where the message's parts break their shape. */
export function judgeGossip (k: DomainKnowledge, message: Gossip, sink: GossipSink): GossipJudgement {
  switch (message.t) {
    case 'evidence': return judgeEvidence(k, message.artifact, sink)
    case 'head': return judgeHead(k, message, sink)
    case 'changed': {
      // A bare hint proves nothing, so it isn't forwarded; whoever is connected to us hears from us.
      sink.digest(message.digest)
      sink.pull(false)
      return 'ignore'
    }
  }
}

function judgeEvidence (k: DomainKnowledge, bytes: Uint8Array, sink: GossipSink): GossipJudgement {
  const artifact = decodeArtifact(bytes)
  const proof = forkEvidenceCodec.from(artifact)
  // Of a lane that nothing in the domain names anybody can make proofs without end (L5, E6).
  if (k.view().lanes.get(proof.lane)?.sought !== true) return 'ignore'
  const { ref, result, code } = k.admit(artifact)
  if (result === 'rejected') {
    sink.refuse(code, ref)
    return 'reject'
  }
  if (result !== 'added') return 'ignore'
  sink.taken(unpersistedOps(k))
  return 'accept'
}

type HeadGossip = Extract<Gossip, { t: 'head' }>

function judgeHead (k: DomainKnowledge, message: HeadGossip, sink: GossipSink): GossipJudgement {
  const artifact = decodeArtifact(message.lane)
  const lane = laneCodec.from(artifact)
  const laneRef = laneCodec.reference(lane)
  const known = k.lanes.get(laneRef)
  if (lane.domain_id !== k.domain || lane.visibility !== PUBLISHED) return 'reject'
  const authority = k.authority()
  const entry = authority.onChain[authority.position.get(lane.manifest) ?? -1]
  const principal = entry?.manifest.principals.find((p) => p.principal_id === lane.principal)
  const view = k.view()
  const v = view.lanes.get(laneRef)
  if (v?.considered !== true && principal?.roles.includes('federate') !== true) {
    // Perhaps under a manifest we haven't seen: a hint to pull, nothing to spread (L5 bounds the lanes we follow).
    if (principal === undefined) sink.pull(false)
    return 'ignore'
  }
  // K1: the key was closed and this lane isn't listed: whatever it signs changes nothing, and isn't ours to spread.
  if ((v ?? viewLane(new LaneKnowledge(laneRef, lane), authority)).code === 'closed') return 'ignore'
  const snapshot = snapshotCodec.from(decodeArtifact(message.snapshot))
  // Nor does what lies beyond an ending cut (K3), or beyond what is exported of a lane that can't export itself (A3), unless the domain names it.
  if (v !== undefined && snapshot.log_size > worthHaving(v) && !view.named.has(snapshotCodec.reference(snapshot))) return 'ignore'
  const signature = signatureCodec.from(decodeArtifact(message.signature))
  // Judged before anything is kept: a Lane alone proves nothing.
  const head = (known ?? new LaneKnowledge(laneRef, lane)).head(snapshot, signature)
  if (head === 'bad-signature') {
    sink.refuse('bad-signature', snapshotCodec.reference(snapshot))
    return 'reject'
  }
  if (known === undefined) k.admit(artifact)
  return takeHead(k, k.lanes.get(laneRef) as LaneKnowledge, head, message, sink)
}

function takeHead (k: DomainKnowledge, l: LaneKnowledge, head: Head, message: HeadGossip, sink: GossipSink): GossipJudgement {
  // A lane that is new here needs no look at all the others.
  const branch = l.branches.length === 0 ? undefined : k.view().lanes.get(l.ref)?.branch ?? l.branches[0]
  const held = branch?.log.size ?? 0
  const size = head.snapshot.log_size
  const link = branch === undefined ? 'beyond' : linkOf(branch.log, head)
  if (link === 'on') {
    // A copy without bodies may have come first. It is passed on by those whom it brings something.
    const brought = branch === undefined ? [] : lackedBodies(l, branch, message)
    if (brought.length > 0) {
      k.touch()
      sink.taken(brought)
    }
    return 'ignore'
  }
  // Our log refutes it. Whoever passed it on may not have had that log yet, so it isn't held against them.
  if (link === 'false') return 'ignore'
  // Past a proven fork nothing counts (E4), so nothing is stored.
  const ended = l.evidence !== undefined && held > l.evidence.index
  if (!ended && size > held && message.leaves.length === (size - message.from) * LEAF_BYTES && message.from <= held) {
    const extended = l.extend(head, message.from, message.leaves, branch)
    if (extended.result === 'extended') {
      const grown = extended.branch
      message.bodies.forEach((body, i) => { if (body.length > 0 && message.from + i < grown.log.size) l.addBody(grown, message.from + i, body) })
      k.touch()
      sink.taken([...branchOps(k, l, grown, held), ...unpersistedOps(k)])
      return 'accept'
    }
  }
  // Signed by the lane's own key and not linked to what we hold: ask for its log, or for the fork it shows (E2). It isn't passed on: a key can sign any
  // number of heads that nobody can show, and whatever leaves and bodies came with this one nobody has verified. Once pulled, our hello says it.
  const news = l.addHead(head)
  if (news) k.touch()
  sink.pull(news)
  return 'ignore'
}

/** Keeps the bodies of `message` that held leaves name and that aren't held; returns the ops. */
function lackedBodies (l: LaneKnowledge, branch: HeldBranch, message: HeadGossip): KvOp[] {
  return message.bodies.flatMap((body, i) => {
    const index = message.from + i
    const leaf = body.length > 0 && index < branch.log.size ? readLeaf(branch.log.leaf(index)) : undefined
    if (leaf === undefined || l.bodies.has(leaf.body_hash)) return []
    const hash = l.addBody(branch, index, body)
    return hash === undefined ? [] : [bodyOp(l.ref, hash, body)]
  })
}

/** The head in force of `lane` with the leaves after `from` where they fit; undefined where the domain doesn't show that head (A3, L2). */
export function headGossip (k: DomainKnowledge, lane: LaneKnowledge, from: number): HeadGossip | undefined {
  const branch = k.view().lanes.get(lane.ref)?.branch
  const served = branch === undefined ? undefined : servedLog(k, lane.ref, branch.head.ref)
  if (branch === undefined || served === undefined || !liesOn(served.log, branch.head)) return undefined
  const { head } = branch
  const all = leafAnswer(served, from, WIRE.gossipBytes)
  const fits = all.to === served.size
  return {
    t: 'head',
    domain: k.domain,
    lane: encodeArtifact(laneCodec.artifact(lane.lane)),
    snapshot: encodeArtifact(snapshotCodec.artifact(head.snapshot)),
    signature: encodeArtifact(signatureCodec.artifact(head.signature)),
    from: fits ? from : served.size,
    leaves: fits ? all.leaves : new Uint8Array(0),
    bodies: fits ? all.bodies : []
  }
}
