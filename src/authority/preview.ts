/**
 * What the view would be with some more leaves of one key: nothing is signed, stored or said. A lane made for the purpose stands in for the one that the
 * leaves would go into; both stand under the newest manifest, so they are judged alike. Source: RULES A2, R4, R7.
 */
import { principalId } from '../publication/evidence.js'
import { type Lane, laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../publication/lane.js'
import { encodeLeaf, leafOf, type UnsaltedBody } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { concatBytes } from '../substrate/bytes.js'
import { LIMITS } from '../substrate/limits.js'
import { NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { type DomainView, viewDomain } from './domain-view.js'
import type { DomainKnowledge } from './knowledge.js'
import { type Head, LaneKnowledge } from './lane-knowledge.js'

export interface Preview {
  /** what followers would see */
  readonly exported: DomainView
  /** the owner's own view */
  readonly all: DomainView
}

/** `key` has to be a principal of the newest manifest, and `bodies` at least one. */
export function previewView (k: DomainKnowledge, key: PublicKey, bodies: readonly UnsaltedBody[]): Preview {
  const manifest = k.authority().tip ?? NONE
  const lane: Lane = { domain_id: k.domain, principal: principalId(key), manifest, visibility: PUBLISHED, nonce: '0'.repeat(64), previous: NONE }
  const ref = laneCodec.reference(lane)
  const held = new LaneKnowledge(ref, lane)
  // Vouches and erasures are looked at, for which logseq says nothing; a first leaf of more than a step would end the lane (R3).
  const from = Math.max(0, Math.min(k.viewAll().logseq, LIMITS.logseqStep - bodies.length))
  const added = bodies.map((body, i) => leafOf(from + 1 + i, { ...body, salt: '0'.repeat(32) }))
  const bytes = concatBytes(...added.map((l) => encodeLeaf(l.leaf)))
  const log = new LeafLog()
  log.append(bytes)
  const snapshot: Snapshot = { lane: ref, log_size: added.length, log_root: log.root(), logseq: from + added.length }
  const target = snapshotCodec.reference(snapshot)
  const signature = { target, purpose: 'snapshot' as const, public_key: key, signature: '0'.repeat(128) }
  const head: Head = { ref: target, snapshot, signature, signatureRef: NONE }
  const grown = held.extend(head, 0, bytes)
  if (grown.result !== 'extended') throw new Error('a preview was refused')
  added.forEach((l, i) => { if (l.body !== undefined) held.addBody(grown.branch, i, l.body) })
  const lanes = new Map<Reference, LaneKnowledge>([...k.lanes, [ref, held]])
  const order = (): readonly Reference[] => [...lanes.keys()].sort()
  const input = { domain: k.domain, lanes, order, authority: k.authority }
  return { exported: viewDomain(input), all: viewDomain(input, { all: true }) }
}
