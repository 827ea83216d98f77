/**
 * Records of a bundle that were read, and count for nothing by what is held: their key was closed meanwhile, a cut ends their lane before them, their
 * lane forked. Whoever carried the file here would take them for done otherwise. Source: RULES K1, K3, K5, E4, M7.
 */
import { VERDICT_CODES, type VerdictCode } from '../authority/verdict.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { judgeRecord } from '../authority/judge-record.js'
import { nameOf } from '../authority/lane-reach.js'
import { liesOn } from '../authority/lane-knowledge.js'
import { viewLane } from '../authority/lane-view.js'
import { leftoversOn } from '../authority/leftovers.js'
import { PUBLISHED } from '../publication/lane.js'
import type { Hash, Reference } from '../substrate/reference.js'

export interface Uncounted {
  readonly lane: Reference
  readonly principal: Hash
  /** the first record that doesn't count, and how many there are from there on */
  readonly from: number
  readonly records: number
  /** why the first of them doesn't */
  readonly code: VerdictCode
  /** that they speak of, sorted */
  readonly names: readonly string[]
  /** they are kept here, so the domain's owner can publish them again under a living key (K5) */
  readonly adoptable: boolean
}

const FINAL: ReadonlySet<string> = new Set(['void', 'rejected', 'contested'])

/** Of those `lanes` that the file holds, by what `k` holds when it has taken the file in. What merely waits, for a vouch or for a body, is left out. */
export function uncountedOf (k: DomainKnowledge, file: DomainKnowledge, lanes: ReadonlySet<Reference>, own: boolean): Uncounted[] {
  const out: Uncounted[] = []
  for (const ref of [...lanes].sort()) {
    const [brought, held] = [file.lanes.get(ref), k.lanes.get(ref)]
    if (brought === undefined || brought.lane.visibility !== PUBLISHED || brought.held === 0) continue
    // What nobody but the owner takes in is judged where it was read.
    const top = file.view().lanes.get(ref)?.branch?.head
    const isHeld = held !== undefined && held.held >= brought.held && (top === undefined || held.branches.some((b) => liesOn(b.log, top)))
    const [by, lane] = isHeld ? [k, held] : [file, brought]
    const { limit, branch } = viewLane(lane, by.authority())
    const log = branch?.log ?? lane.branches[0]?.log
    if (log === undefined || limit >= brought.held) continue
    const { code } = judgeRecord(by, ref, limit)
    if (!FINAL.has(VERDICT_CODES.get(code)?.status ?? '')) continue
    const names = new Set(leftoversOn(by, lane, log, limit, new Set()).flatMap((l) => nameOf(l) ?? []))
    out.push({ lane: ref, principal: lane.lane.principal, from: limit, records: brought.held - limit, code, names: [...names].sort(), adoptable: own && isHeld && (code === 'closed' || code === 'cut') })
  }
  return out
}
