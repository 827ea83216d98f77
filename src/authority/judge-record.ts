/**
 * The verdict on one record, object or name of a domain, as the whole of what is held gives it: lane first, then the place in the lane, then the leaf,
 * then what the view makes of it. Pure. Source: RULES R4-R7, L2, L3, K1-K4, E4, E5, A2, A3.
 */
import { NONE, type Reference } from '../substrate/reference.js'
import { TAG } from '../substrate/type-tags.js'
import { INTERNAL } from '../publication/lane.js'
import { KIND, namesContent, readLeaf } from '../publication/leaf.js'
import { namesInternal, type ViewedLane } from './domain-view.js'
import type { DomainKnowledge } from './knowledge.js'
import { type LaneKnowledge, linkOf } from './lane-knowledge.js'
import { chooseBranch, cutsOf, hasRole } from './lane-view.js'
import type { JudgedLeaf } from './leaf-rules.js'
import { failed, verdict, type Verdict, type VerdictCode } from './verdict.js'

/** What the whole lane counts for decides over all its leaves. */
const OF_WHOLE_LANE: ReadonlySet<VerdictCode> = new Set(['closed', 'authority-forked', 'cut-unlinked'])

/** The verdict on leaf `index` of a lane. */
export function judgeRecord (k: DomainKnowledge, lane: Reference, index: number): Verdict {
  const v = k.view().lanes.get(lane)
  if (v === undefined) return failed('lane-missing', `the lane ${lane} is not held`, [lane])
  if (v.rights === undefined) return failed(v.code, 'what its lane stands under decides', v.code === 'manifest-missing' ? [v.knowledge.lane.manifest] : [])
  if (OF_WHOLE_LANE.has(v.code)) return failed(v.code, 'its whole lane is judged so', v.unlinked)
  if (v.log === undefined || index >= v.log.size) return uncovered(v.knowledge, index)
  if (index >= v.limit) return beyond(k, v, index)
  const j = v.judged[index] as JudgedLeaf
  return j.status === 'accepted' ? standing(k, v, index, j) : failed(j.code, 'the leaf alone is judged so')
}

function uncovered (lane: LaneKnowledge, index: number): Verdict {
  const heads = [...lane.heads.values()].filter((h) => h.snapshot.log_size > index).map((h) => h.ref)
  return heads.length > 0 ? failed('log-missing', 'the leaves up to its head are not held', heads) : failed('head-missing', `no signed head covers leaf ${index}`)
}

/**
 * L3: which of the limits ends the lane before this leaf. What is final comes first; but from a proven difference on it depends on the branch held which
 * leaf is meant, so there the domain's word comes first, then what the key has done.
 */
function beyond (k: DomainKnowledge, v: ViewedLane, index: number): Verdict {
  const { stop } = v
  const forked = v.knowledge.evidence?.index ?? Infinity
  const stopped = stop !== undefined && stop.index <= index && stop.index < forked
  if (stopped && stop.status === 'rejected') return failed('lane-malformed', `the log is malformed from leaf ${stop.index} on`)
  if (chooseBranch(v.knowledge, cutsOf(v.knowledge, k.authority()).cuts).ends <= index) return failed('cut', 'the domain ended its lane below it')
  if (forked <= index) return failed('lane-forked', `its key equivocated at leaf ${forked}`)
  return stopped ? failed('needs-upgrade', `leaf ${stop.index} is of a kind this program doesn't know`) : uncovered(v.knowledge, index)
}

/** What an accepted leaf that counts in its lane is in the domain's view. */
function standing (k: DomainKnowledge, v: ViewedLane, index: number, { body, leaf }: JudgedLeaf): Verdict {
  if (v.knowledge.lane.visibility === INTERNAL) return verdict('internal')
  if (leaf.kind === KIND.tick || leaf.kind === KIND.close) return verdict('no-effect')
  if (body?.kind === 'erase') {
    const fault = eraseFault(k, v, body)
    if (fault !== undefined) return fault
  }
  if (index >= v.exported) return failed(isVisible(k, v, index) ? 'not-exported' : 'not-visible', `${v.exported} leaves of its lane are exported`)
  if (!namesContent(body) && body?.kind !== 'tombstone') return verdict('accepted')
  const winner = k.view().current.get(body.name)
  if (winner?.lane !== v.knowledge.ref || winner.index !== index) return failed('superseded', 'a greater record of its name is in force')
  return verdict(winner.code)
}

/** A2: lanes of publishers, and what an exported leaf of one vouches for. */
function isVisible (k: DomainKnowledge, v: ViewedLane, index: number): boolean {
  if (hasRole(v, 'publish') || hasRole(v, 'federate')) return true
  for (const by of k.view().lanes.values()) {
    if (!hasRole(by, 'publish')) continue
    for (let i = 0; i < by.exported; i++) {
      const { status, body } = by.judged[i] as JudgedLeaf
      if (status !== 'accepted' || body?.kind !== 'vouch' || body.lane !== v.knowledge.ref) continue
      const head = v.knowledge.heads.get(body.snapshot)
      if (head !== undefined && head.snapshot.log_size > index) return true
    }
  }
  return false
}

/** R7: who may erase what. What is refused rests on the two Lanes and on the target's own bytes, so it is final; until those are held it is open. */
function eraseFault (k: DomainKnowledge, v: ViewedLane, { lane, index, leaf_hash: hash }: { lane: Reference, index: number, leaf_hash: string }): Verdict | undefined {
  const target = k.view().lanes.get(lane)
  if (target === undefined) return failed('lane-missing', 'the lane of the leaf that it erases is not held', [lane])
  if (namesInternal(v.knowledge.lane, target.knowledge.lane)) return failed('erase-refused', 'a leaf of a published lane names no leaf of an internal one')
  const own = target.knowledge.lane.principal === v.knowledge.lane.principal
  if (!own && v.rights?.scope.prefixes.includes('') !== true) return failed('erase-refused', 'another principal\'s leaf needs the whole domain as scope')
  if (target.log === undefined) return failed('log-missing', 'the log of the leaf that it erases is not held')
  // E3: behind a fork that no anchor settles each node may hold another branch; what is there counts for nobody.
  if (index >= Math.max(target.anchored, target.knowledge.evidence?.index ?? Infinity)) return verdict('no-effect')
  if (index >= target.log.size) return failed('log-missing', 'the leaf that it erases is not held')
  // Another branch of a forked lane may have that leaf.
  if (target.log.leafHash(index) !== hash) return verdict('no-effect')
  const kind = readLeaf(target.log.leaf(index))?.kind
  return kind === KIND.erase || kind === KIND.vouch || kind === KIND.admit ? failed('erase-refused', 'leaves that erase, vouch or admit can\'t be erased') : undefined
}

/** The verdict on a lane as a whole. */
export function judgeLane (k: DomainKnowledge, v: ViewedLane): Verdict {
  if (v.status !== 'accepted') return failed(v.code, 'the lane as a whole is judged so', v.code === 'manifest-missing' ? [v.knowledge.lane.manifest] : v.unlinked)
  if (v.knowledge.lane.visibility === INTERNAL) return verdict('internal')
  if (v.limit === 0) return judgeRecord(k, v.knowledge.ref, 0)
  if (v.exported > 0) return verdict('accepted')
  return failed(isVisible(k, v, 0) ? 'not-exported' : 'not-visible', 'none of its leaves is exported')
}

/** The verdict on any control object, by its reference. */
export function judgeReference (k: DomainKnowledge, ref: Reference): Verdict {
  const { lanes } = k.view()
  const lane = lanes.get(ref)
  if (lane !== undefined) return judgeLane(k, lane)
  for (const v of lanes.values()) {
    const head = v.knowledge.heads.get(ref)
    if (head === undefined) continue
    const link = v.log === undefined ? 'beyond' : linkOf(v.log, head)
    if (link === 'false') return failed('bad-range', 'its logseq is not that of its last leaf')
    if (link !== 'on') return v.rights === undefined ? judgeLane(k, v) : failed('log-missing', 'it is not linked to the log in force')
    return v.branch?.head.ref === ref ? judgeLane(k, v) : failed('superseded', 'a greater head of its lane is held')
  }
  const tag = k.artifact(ref)?.typeTag
  // One that doesn't verify is never held.
  if (tag === TAG.signature || tag === TAG.forkEvidence) return verdict('accepted')
  if (tag === undefined && ref !== k.domain) return failed('not-held', `${ref} is not held`, [ref])
  return k.authority().verdictOf(ref)
}

/** The verdict on what CURRENT says of a name, with what it says; NONE for a tombstone. */
export function judgeName (k: DomainKnowledge, name: string): Verdict & { readonly ref?: Reference } {
  const entry = k.view().current.get(name)
  if (entry !== undefined) return { ...verdict(entry.code), ref: entry.ref }
  const own = k.viewAll().current.get(name)
  if (own === undefined) return failed('not-held', 'no record of this name is held')
  return { ...judgeRecord(k, own.lane, own.index), ref: NONE }
}
