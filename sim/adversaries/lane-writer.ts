/** Leaves that somebody with a key writes, whatever the rules say of them. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { LaneKnowledge } from '../../src/authority/lane-knowledge.js'
import type { Gossip } from '../../src/federation/messages.js'
import { principalId } from '../../src/publication/evidence.js'
import { type Lane, laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../../src/publication/lane.js'
import { encodeLeaf, type NewLeaf, readLeaf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { type Artifact, encodeArtifact } from '../../src/substrate/artifact.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { signArtifact, type Signer, signatureCodec } from '../../src/substrate/signature.js'
import type { Random } from '../world/random.js'

/** A lane that nobody has seen yet. */
export function freshLane (domain: Reference, signer: Signer, manifest: Reference, random: Random): Lane {
  return { domain_id: domain, principal: principalId(signer.publicKey), manifest, visibility: PUBLISHED, nonce: random.hex(32), previous: NONE }
}

/** Appends a leaf to the lane as `k` holds it, and signs the new head; `make` gets the least logseq that fits. */
export async function writeLeaf (k: DomainKnowledge, lane: Lane, signer: Signer, make: (logseq: number) => NewLeaf): Promise<LaneKnowledge> {
  k.admit(laneCodec.artifact(lane))
  const held = k.lanes.get(laneCodec.reference(lane))
  if (held === undefined) throw new Error('a lane of our own isn\'t held')
  const [branch] = held.branches
  const log = branch?.log.clone() ?? new LeafLog()
  const size = log.size
  const { leaf, body } = make(1 + (size === 0 ? 0 : readLeaf(log.leaf(size - 1))?.logseq ?? 0))
  log.append(encodeLeaf(leaf))
  const snapshot: Snapshot = { lane: held.ref, log_size: log.size, log_root: log.root(), logseq: leaf.logseq }
  const head = held.head(snapshot, signatureCodec.from(await signArtifact(signer, 'snapshot', snapshotCodec.reference(snapshot))))
  if (head === 'bad-signature') throw new Error('a head signed by another key than its lane\'s')
  const grown = held.extend(head, size, encodeLeaf(leaf), branch)
  if (grown.result !== 'extended') throw new Error(`our own leaf isn't taken: ${grown.result}`)
  if (body !== undefined) held.addBody(grown.branch, size, body)
  k.touch()
  return held
}

/** The newest leaf of the lane and its head as gossip, whether or not an honest node would say so. */
export function newestHead (k: DomainKnowledge, lane: LaneKnowledge): Gossip | undefined {
  const [branch] = lane.branches
  if (branch === undefined) return undefined
  const { head, log } = branch
  const from = log.size - 1
  const artifacts = [lane.ref, head.ref, head.signatureRef].map((ref) => k.artifact(ref))
  if (artifacts.includes(undefined)) return undefined
  const [laneBytes, snapshot, signature] = (artifacts as Artifact[]).map(encodeArtifact) as [Uint8Array, Uint8Array, Uint8Array]
  const hash = readLeaf(log.leaf(from))?.body_hash
  const body = hash === undefined ? undefined : lane.bodies.get(hash)
  return { t: 'head', domain: k.domain, lane: laneBytes, snapshot, signature, from, leaves: log.leaves(from, log.size), bodies: [body ?? new Uint8Array(0)] }
}
