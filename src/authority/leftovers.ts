/**
 * What a lane says beyond the point up to which it counts, for whoever wants to say it again under a living key. Nothing is revived: what readers would
 * refuse stays refused, and what was erased stays erased, though the leaf that erased it may count no more itself. Source: RULES R2, R7, K5.
 */
import type { Hash, Reference } from '../substrate/reference.js'
import { type Body, KIND, type Leaf, readLeaf } from '../publication/leaf.js'
import type { LeafLog } from '../publication/leaf-log.js'
import { namesInternal } from './domain-view.js'
import type { DomainKnowledge } from './knowledge.js'
import type { LaneKnowledge } from './lane-knowledge.js'
import { judgeLeaf, type LaneRights, stopsLane } from './leaf-rules.js'
import { scopeHasName } from './manifest.js'

export interface Leftover {
  readonly leaf: Leaf
  /** undefined where it isn't held, and of kinds without one */
  readonly body: Body | undefined
  /** why it stays behind: an erase leaf names it, or every reader would refuse it */
  readonly left: 'erased' | 'rejected' | undefined
}

/** Leaves of one of the lane's logs from index `from` on, in order; `erased` as {@link erasedOnce} gives it. None of a lane that was never valid. */
export function leftoversOn (k: DomainKnowledge, lane: LaneKnowledge, log: LeafLog, from: number, erased: ReadonlySet<string>): Leftover[] {
  const out: Leftover[] = []
  const rights = rightsUnder(k, lane)
  let before = from > 0 ? readLeaf(log.leaf(from - 1)) : undefined
  for (let i = from; rights !== undefined && i < log.size; i++) {
    const leaf = readLeaf(log.leaf(i))
    if (leaf === undefined || stopsLane(leaf, i, before) !== undefined) break
    before = leaf
    const { status, body } = judgeLeaf(leaf, lane.bodies.get(leaf.body_hash), rights)
    out.push({ leaf, body, left: erased.has(place(lane.ref, i, log.leafHash(i))) ? 'erased' : status === 'rejected' ? 'rejected' : undefined })
  }
  return out
}

/**
 * Leaves that are not to be said again: those that the view calls erased, and those that any leaf of this principal erases, on whichever branch and
 * however far its lanes count. Of others only what is in force speaks: a cut takes a thief's erasures along with the rest (K3).
 */
export function erasedOnce (k: DomainKnowledge, principal: Hash): ReadonlySet<string> {
  const out = new Set<string>()
  const { lanes, erased } = k.viewAll()
  for (const at of erased) {
    const [ref, index] = at.split('/') as [Reference, string]
    const log = lanes.get(ref)?.log
    if (log !== undefined) out.add(place(ref, Number(index), log.leafHash(Number(index))))
  }
  for (const lane of k.lanes.values()) {
    const rights = lane.lane.principal === principal ? rightsUnder(k, lane) : undefined
    if (rights !== undefined) for (const { log } of lane.branches) for (const at of namedOn(k, lane, log, rights)) out.add(at)
  }
  return out
}

function place (lane: Reference, index: number, leafHash: string): string {
  return `${lane}/${index}/${leafHash}`
}

function namedOn (k: DomainKnowledge, lane: LaneKnowledge, log: LeafLog, rights: LaneRights): string[] {
  const out: string[] = []
  for (let i = 0; i < log.size; i++) {
    const leaf = readLeaf(log.leaf(i))
    if (leaf?.kind !== KIND.erase) continue
    const { status, body } = judgeLeaf(leaf, lane.bodies.get(leaf.body_hash), rights)
    if (status !== 'accepted' || body?.kind !== 'erase') continue
    const target = k.lanes.get(body.lane)?.lane
    if (target === undefined || namesInternal(lane.lane, target)) continue
    if (target.principal === lane.lane.principal || scopeHasName(rights.scope, '')) out.push(place(body.lane, body.index, body.leaf_hash))
  }
  return out
}

/** What the lane's own manifest gives its principal, on the chain or off it. */
function rightsUnder (k: DomainKnowledge, { lane }: LaneKnowledge): LaneRights | undefined {
  const authority = k.authority()
  const manifest = authority.judged.get(lane.manifest)?.manifest
  const policy = authority.policyOf(lane.manifest)
  const at = manifest?.principals.findIndex((p) => p.principal_id === lane.principal) ?? -1
  const [principal, scope] = [manifest?.principals[at], manifest?.scope[at]]
  return principal === undefined || scope === undefined || policy === undefined ? undefined : { principal, scope, policy }
}
