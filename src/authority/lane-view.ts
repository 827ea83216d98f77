/**
 * How far one lane counts: which of its logs, up to which leaf, and why not further. Pure: authority and held lane in, limits out.
 * Source: RULES L1, L3, K1-K4, E4, E5, M7.
 */
import type { Reference } from '../substrate/reference.js'
import { hasBody, readLeaf } from '../publication/leaf.js'
import type { LeafLog } from '../publication/leaf-log.js'
import { firstDifference, type HeldBranch, type LaneKnowledge, liesOn } from './lane-knowledge.js'
import { judgeLeaf, type JudgedLeaf, type LaneRights, type LaneStop, stopsLane } from './leaf-rules.js'
import { closesPrincipal, principalIndex, type Role } from './manifest.js'
import type { Authority } from './manifest-chain.js'
import type { Status, VerdictCode } from './verdict.js'

export interface LaneView {
  readonly knowledge: LaneKnowledge
  readonly status: Status
  readonly code: VerdictCode
  /** leaves below this count (L3); the leaves before it are `judged` */
  readonly limit: number
  readonly log: LeafLog | undefined
  readonly branch: HeldBranch | undefined
  /** leaves of `log` that anchors settle (K4): forks below them take nothing away */
  readonly anchored: number
  readonly rights: LaneRights | undefined
  /** {@link hasRole}, told once: a view of the domain asks it of every lane */
  readonly federates: boolean
  readonly publishes: boolean
  readonly judged: readonly JudgedLeaf[]
  readonly stop: LaneStop | undefined
  /** leaves beyond it no ending cut leaves (K1, K3), linked or not: they count for nothing, whatever else comes; Infinity where none ends the lane */
  readonly reach: number
  /** E5: equivocation that no cut ends */
  readonly contested: boolean
  /** heads that cuts name and that aren't held, or aren't linked to a held log */
  readonly unlinked: readonly Reference[]
}

export interface CutOf { readonly snapshot: Reference, readonly ends: boolean }

/** Whether the manifest that the lane stands under gives its key the role. */
export const hasRole = (v: LaneView, role: Role): boolean => v.rights?.principal.roles.includes(role) ?? false

/** All cuts of a lane on the chain in order, and whether a manifest closes its principal without listing it (K1). */
export function cutsOf (k: LaneKnowledge, authority: Authority): { cuts: CutOf[], closedOut: boolean } {
  const opened = authority.position.get(k.lane.manifest) ?? Infinity
  const cuts: CutOf[] = []
  let closedOut = false
  authority.onChain.forEach((m, position) => {
    const closes = opened < position && closesPrincipal(m.manifest, k.lane.principal)
    const cut = m.cuts.get(k.ref)
    // M4: a cut of a closed principal's lane ends it, whatever it says; the lane needn't be held where the manifest is judged.
    if (cut !== undefined) cuts.push({ snapshot: cut.snapshot, ends: cut.ends || closes })
    else if (closes) closedOut = true
  })
  return { cuts, closedOut }
}

export interface Chosen { readonly branch: HeldBranch | undefined, readonly anchored: number, readonly unlinked: Reference[], readonly ends: number, readonly endUnlinked: boolean, readonly reach: number }

/** K4: anchors choose the branch, earlier manifests first; K3a: every ending cut bounds it. */
export function chooseBranch (k: LaneKnowledge, cuts: CutOf[]): Chosen {
  let candidates = k.branches
  let anchored = 0
  const unlinked: Reference[] = []
  for (const cut of cuts) {
    const head = k.heads.get(cut.snapshot)
    const at = head?.snapshot
    if (head === undefined || at === undefined || at.lane !== k.ref) {
      unlinked.push(cut.snapshot)
      continue
    }
    const linked = candidates.filter((b) => liesOn(b.log, head))
    if (linked.length > 0) {
      candidates = linked
      anchored = Math.max(anchored, at.log_size)
    } else if (!k.branches.some((b) => liesOn(b.log, head))) unlinked.push(cut.snapshot)
    // else: a held log shows that this anchor contradicts an earlier one, so it has no force
  }
  const branch = [...candidates].sort((a, b) => b.head.snapshot.log_size - a.head.snapshot.log_size || (a.head.ref < b.head.ref ? -1 : 1))[0]
  let ends = Infinity
  let reach = Infinity
  let endUnlinked = false
  for (const cut of cuts) {
    if (!cut.ends) continue
    const head = k.heads.get(cut.snapshot)
    const at = head?.snapshot
    if (at?.lane === k.ref) reach = Math.min(reach, at.log_size)
    if (head === undefined || at === undefined || unlinked.includes(cut.snapshot)) endUnlinked = true
    else {
      const other = k.branches.find((b) => liesOn(b.log, head))
      // A leaf survives only if it lies on every ending snapshot's log.
      const common = branch === undefined || other === undefined || other === branch ? at.log_size : firstDifference(branch.log, other.log)
      ends = Math.min(ends, at.log_size, common)
    }
  }
  return { branch, anchored, unlinked, ends, endUnlinked, reach: Math.min(reach, endUnlinked ? Infinity : ends) }
}

/**
 * Judged leaves of a log depend on the lane's manifest (L1) and on which bodies are held, so they are kept beside the log; they grow, and are judged
 * again when their body comes or goes. `drops` = of the lane, when they were last looked through for bodies that went.
 */
const memo = new WeakMap<LeafLog, { rights: LaneRights, judged: JudgedLeaf[], stop: LaneStop | undefined, drops: number }>()

/** Whether the verdict rests on the body's bytes. */
const restsOnBody = (j: JudgedLeaf): boolean => j.body !== undefined || (j.code === 'body-malformed' && hasBody(j.leaf.kind))

function judgeLeaves (k: LaneKnowledge, log: LeafLog, rights: LaneRights): { judged: JudgedLeaf[], stop: LaneStop | undefined } {
  let held = memo.get(log)
  if (held === undefined || held.rights.principal !== rights.principal || held.rights.policy !== rights.policy || held.judged.length > log.size) {
    held = { rights, judged: [], stop: undefined, drops: k.drops }
    memo.set(log, held)
  }
  const { judged } = held
  // A dropped body can be wanted again, when a cut ends the erasure (R7): a process that never held it must come to the same verdict.
  const dropped = held.drops !== k.drops
  held.drops = k.drops
  for (let i = 0; i < judged.length; i++) {
    const j = judged[i] as JudgedLeaf
    const here = j.code === 'body-missing' && k.bodies.has(j.leaf.body_hash)
    const gone = dropped && restsOnBody(j) && !k.bodies.has(j.leaf.body_hash)
    if (here || gone) judged[i] = judgeLeaf(j.leaf, k.bodies.get(j.leaf.body_hash), rights)
  }
  while (held.stop === undefined && judged.length < log.size) {
    const index = judged.length
    const leaf = readLeaf(log.leaf(index))
    held.stop = leaf === undefined ? { index, status: 'rejected', code: 'lane-malformed' } : stopsLane(leaf, index, judged[index - 1]?.leaf)
    if (leaf !== undefined && held.stop === undefined) judged.push(judgeLeaf(leaf, k.bodies.get(leaf.body_hash), rights))
  }
  return held
}

/** The rights that the lane's manifest gives its principal; undefined when the manifest doesn't name it, or isn't on the chain. */
function rightsOf (k: LaneKnowledge, authority: Authority): LaneRights | undefined {
  const entry = authority.onChain[authority.position.get(k.lane.manifest) ?? -1]
  const index = entry === undefined ? -1 : principalIndex(entry.manifest, k.lane.principal)
  const principal = entry?.manifest.principals[index]
  const scope = entry?.manifest.scope[index]
  const policy = authority.policyOf(k.lane.manifest)
  return principal === undefined || scope === undefined || policy === undefined ? undefined : { principal, scope, policy }
}

export function viewLane (k: LaneKnowledge, authority: Authority): LaneView {
  const none = { knowledge: k, limit: 0, log: undefined, branch: undefined, anchored: 0, rights: undefined, federates: false, publishes: false, judged: [], stop: undefined, reach: Infinity, contested: false, unlinked: [] }
  const named = authority.judged.get(k.lane.manifest)?.manifest
  // R5: it rests on the bytes that the Lane names alone, so it holds whatever becomes of that manifest.
  if (named !== undefined && principalIndex(named, k.lane.principal) < 0) return { ...none, status: 'rejected', code: 'not-a-principal' }
  if (!authority.position.has(k.lane.manifest)) {
    // What is rejected or waits for something says so itself; whatever else the Lane names is not on the chain.
    const { status, code } = authority.verdictOf(k.lane.manifest)
    return status === 'rejected' || status === 'deferred' ? { ...none, status, code } : { ...none, status: 'void', code: 'manifest-off-chain' }
  }
  const rights = rightsOf(k, authority)
  if (rights === undefined) return { ...none, status: 'rejected', code: 'not-a-principal' }
  const { cuts, closedOut } = cutsOf(k, authority)
  const { branch, anchored, unlinked, ends, endUnlinked, reach } = chooseBranch(k, cuts)
  const ended = closedOut || cuts.some((c) => c.ends)
  const contested = k.evidence !== undefined && !ended
  const { roles } = rights.principal
  const base = { ...none, rights, federates: roles.includes('federate'), publishes: roles.includes('publish'), contested, unlinked, branch, anchored, log: branch?.log, reach: closedOut ? 0 : reach }
  if (closedOut) return { ...base, status: 'void', code: 'closed' }
  if (authority.forked.cutLanes.has(k.ref) || authority.forked.closedPrincipals.has(k.lane.principal)) {
    return { ...base, status: 'deferred', code: 'authority-forked' }
  }
  if (endUnlinked) return { ...base, status: 'deferred', code: 'cut-unlinked' }
  // E5: the proof says it by itself; who holds a log that nobody shows judges the lane no other way.
  if (branch === undefined) return contested ? { ...base, status: 'contested', code: 'lane-forked' } : { ...base, status: 'deferred', code: 'log-missing' }
  const { judged, stop } = judgeLeaves(k, branch.log, rights)
  const forked = k.evidence === undefined ? Infinity : Math.max(anchored, k.evidence.index)
  const bound = Math.min(branch.head.snapshot.log_size, forked, ends)
  // What stands behind a fork or a cut not everybody holds, so it can't say anything of the lane.
  const stopped = stop !== undefined && stop.index < bound ? stop : undefined
  const limit = stopped?.index ?? bound
  const status = contested ? 'contested' : stopped?.status ?? 'accepted'
  const code = contested ? 'lane-forked' : stopped?.code ?? 'accepted'
  return { ...base, status, code, limit, judged: judged.slice(0, limit), stop }
}
