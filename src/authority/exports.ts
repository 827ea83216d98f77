/**
 * How much of each lane a domain exports, which heads and lanes its members name, and which of them aren't held. Source: RULES A1-A3, L5, K1.
 */
import { NONE, type Reference } from '../substrate/reference.js'
import { PUBLISHED } from '../publication/lane.js'
import { type Head, liesOn } from './lane-knowledge.js'
import type { LaneView } from './lane-view.js'
import type { JudgedLeaf } from './leaf-rules.js'

/**
 * The prefix of `target` that a vouch for `snapshot` covers; undefined when that head isn't held. A2: nothing while no held log shows what the head stands
 * for. Of one on another branch than the log in force all, where both begin with what anchors settle, else what lies below the smallest proven difference
 * (E3): either is the same for whoever knows the proof and the anchors.
 */
export function vouchedPrefix (target: LaneView, snapshot: Reference): number | undefined {
  const { log, anchored, knowledge: { heads, branches, evidence } } = target
  const head = heads.get(snapshot)
  if (head === undefined) return undefined
  const on = log === undefined ? undefined : liesOn(log, head) ? log : branches.find((b) => liesOn(b.log, head))?.log
  if (log === undefined || on === undefined) return 0
  const most = Math.min(target.limit, head.snapshot.log_size)
  const settled = on === log || (on.size >= anchored && head.snapshot.log_size >= anchored && on.root(anchored) === log.root(anchored))
  return settled ? most : Math.min(most, evidence?.index ?? 0)
}

/** What the log of a head may do for its lane, if it is had: it exports more for certain, or where it begins with what anchors settle. */
export type Promises = 'surely' | 'if-anchored'

/** Of a head on another branch, where vouches cover the first `covered` leaves without it; undefined where nothing is to be gained, or no fork is proven. */
function promiseOf ({ log, limit, anchored, knowledge: { evidence, branches } }: LaneView, head: Head, covered: number): Promises | undefined {
  if (log === undefined || evidence === undefined || covered >= limit || branches.some((b) => liesOn(b.log, head))) return undefined
  const size = head.snapshot.log_size
  if (Math.min(limit, size, evidence.index) > covered) return 'surely'
  return size > anchored && Math.min(limit, size) > covered ? 'if-anchored' : undefined
}

export interface Vouch { readonly lane: Reference, readonly snapshot: Reference }

/** Vouches in the first `end` leaves, in order. All of them count: what was exported once stays so, whoever withholds what a later vouch names (A2). */
export function vouchesIn (leaves: readonly JudgedLeaf[], end: number): Vouch[] {
  const out: Vouch[] = []
  for (let i = 0; i < end; i++) {
    const { status, body } = leaves[i] as JudgedLeaf
    if (body?.kind === 'vouch' && status === 'accepted') out.push(body)
  }
  return out
}

/** Which lane holds each head that some lane's `previous` names. */
function previousOwners (lanes: Map<Reference, LaneView>): Map<string, LaneView> {
  const asked = new Set<Reference>()
  for (const v of lanes.values()) if (v.knowledge.lane.previous !== NONE) asked.add(v.knowledge.lane.previous)
  const out = new Map<string, LaneView>()
  if (asked.size === 0) return out
  for (const v of lanes.values()) {
    if (v.knowledge.lane.visibility !== PUBLISHED) continue
    for (const head of v.knowledge.heads.values()) if (asked.has(head.ref)) out.set(head.ref, v)
  }
  return out
}

export interface Exports { exported: Map<Reference, number>, considered: Set<Reference>, withheld: Set<Reference>, named: Set<Reference>, vouched: Set<Reference>, promising: Map<Reference, Promises>, sought: Set<Reference> }

/** A2, L5. `all` = the owner's own view: every visible lane counts in full, internal ones too. */
export function exportsOf (lanes: Map<Reference, LaneView>, all: boolean, cutAt: Iterable<Reference>): Exports {
  const withheld = new Set<Reference>()
  const considered = new Set<Reference>()
  const named = new Set<Reference>(cutAt)
  const vouched = new Set<Reference>()
  const promising = new Map<Reference, Promises>()
  const collect = (found: readonly Vouch[], into: Map<Reference, number>): void => {
    for (const { lane, snapshot } of found) {
      const target = lanes.get(lane)
      // L2: an internal lane is never vouched for; its own key can't be served by naming it.
      if (target !== undefined && target.knowledge.lane.visibility !== PUBLISHED && !all) continue
      considered.add(lane)
      named.add(snapshot)
      const prefix = target === undefined ? undefined : vouchedPrefix(target, snapshot)
      // A3: what a cut ends below can't be missed.
      if (prefix === undefined) {
        if (target?.code !== 'closed') withheld.add(snapshot)
      } else into.set(lane, Math.max(into.get(lane) ?? 0, prefix))
    }
  }
  /** One log that covers all is enough, whoever names how many. */
  const lookOut = (found: readonly Vouch[], into: ReadonlyMap<Reference, number>): void => {
    for (const { lane, snapshot } of found) {
      const target = lanes.get(lane)
      const head = target?.knowledge.heads.get(snapshot)
      const promise = target === undefined || head === undefined ? undefined : promiseOf(target, head, into.get(lane) ?? 0)
      if (promise !== undefined && promising.get(snapshot) !== 'surely') promising.set(snapshot, promise)
    }
  }
  const shown = (v: LaneView): boolean => v.knowledge.lane.visibility === PUBLISHED
  const exported = new Map<Reference, number>()
  /** Whether a log that is held is passed on to others. */
  const shared = (v: LaneView): boolean => v.knowledge.branches.length > 0 && ((v.federates && v.reach > 0) || (exported.get(v.knowledge.ref) ?? 0) > 0)
  // A Lane isn't signed itself and the id of a principal is public: without a word of its key it is nobody's. What nobody passes on can't decide it, or
  // who joins later judges otherwise: a loose head says only that there is a log to ask for.
  const signed = (v: LaneView): boolean => shared(v) || v.knowledge.evidence !== undefined || [...v.knowledge.heads.keys()].some((head) => named.has(head))
  const sought = new Set<Reference>()
  const federated = new Map<Reference, number>()
  const federateVouches: Vouch[] = []
  for (const [ref, v] of lanes) {
    // K1: nothing of a closed lane counts, so nobody needs it, and its key can't fill us by opening more. (Its like counts where a lane names it: below.)
    if (!shown(v) || !v.federates || v.code === 'closed') continue
    if (!signed(v)) {
      if (v.knowledge.heads.size > 0) sought.add(ref)
      continue
    }
    considered.add(ref)
    const found = vouchesIn(v.judged, v.judged.length)
    collect(found, federated)
    for (const { snapshot } of found) vouched.add(snapshot)
    for (const vouch of found) federateVouches.push(vouch)
  }
  lookOut(federateVouches, federated)
  for (const [ref, v] of lanes) {
    if (!v.publishes && !v.federates) continue
    if (all) exported.set(ref, v.limit)
    else if (shown(v)) exported.set(ref, v.federates ? v.limit : Math.min(v.limit, federated.get(ref) ?? 0))
  }
  const published = new Map<Reference, number>()
  const publishVouches: Vouch[] = []
  for (const [ref, v] of lanes) if (v.publishes) for (const vouch of vouchesIn(v.judged, exported.get(ref) ?? 0)) publishVouches.push(vouch)
  collect(publishVouches, published)
  lookOut(publishVouches, published)
  for (const [ref, v] of lanes) {
    if (v.publishes || v.federates) continue
    const visible = Math.min(v.limit, published.get(ref) ?? 0)
    if (all) exported.set(ref, v.limit)
    else if (shown(v)) exported.set(ref, Math.min(visible, federated.get(ref) ?? 0))
  }
  // `previous` keeps a mirror from dropping one of a key's lanes unnoticed (L1). What is named on the way may be what another lane's word rests on.
  const owners = previousOwners(lanes)
  for (let before = -1; before !== considered.size + named.size;) {
    before = considered.size + named.size
    for (const ref of considered) {
      const lane = lanes.get(ref)
      const previous = lane?.knowledge.lane.previous ?? NONE
      if (lane === undefined || previous === NONE || !signed(lane)) continue
      named.add(previous)
      const owner = owners.get(previous)
      if (owner === undefined || owner.knowledge.lane.principal !== lane.knowledge.lane.principal) withheld.add(previous)
      else considered.add(owner.knowledge.ref)
    }
  }
  return { exported, considered, withheld, named, vouched, promising, sought }
}
