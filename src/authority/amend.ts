/**
 * The next manifest of a domain, written from the last one and what shall change. Pure: the caller signs and commits. What this returns is judged
 * `accepted` once its root_key has signed it, whatever the history before it. Source: RULES M1, M3, M4, K1-K4.
 */
import { principalId } from '../publication/evidence.js'
import type { Artifact } from '../substrate/artifact.js'
import { compareUtf8 } from '../substrate/bytes.js'
import { DiadError } from '../substrate/errors.js'
import { type Hash, NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { type Cut, cutListCodec } from './cut-list.js'
import { type JudgedManifest, reduction } from './judge-manifest.js'
import type { DomainKnowledge } from './knowledge.js'
import { type Head, type LaneKnowledge, liesOn } from './lane-knowledge.js'
import { chooseBranch, cutsOf, viewLane } from './lane-view.js'
import type { Authority } from './manifest-chain.js'
import { type DomainAuthorityManifest, manifestCodec, type Principal, type Scope } from './manifest.js'
import type { NewPrincipal } from './mint.js'

/**
 * Up to where a closed principal's lane stays valid: a head of it that is held; held lanes that aren't listed end at 0 (K1). Lanes that aren't held stay
 * what earlier cuts left of them, but for 'nothing'.
 */
export type Keep = 'held' | 'nothing' | ReadonlyMap<Reference, Reference>

export interface Change {
  /** every principal from now on, with roles and scope; default: as they are */
  readonly principals?: readonly NewPrincipal[]
  /** closed in addition to those that lose something: principal id → what stays valid of their lanes */
  readonly close?: ReadonlyMap<Hash, Keep>
  /** what stays valid of the lanes of principals that lose something and aren't in `close`; default 'held' */
  readonly keep?: Keep
  /** cuts that end nothing: every held lane at its head (K4) */
  readonly anchor?: boolean
  /** a manifest under another root entry: its reference, the key it certifies, the policy's hash, and the manifest it follows */
  readonly under?: { readonly rootEntry: Reference, readonly rootKey: PublicKey, readonly policyHash: Hash, readonly previous: Reference }
}

export interface Amended {
  readonly manifest: DomainAuthorityManifest
  readonly ref: Reference
  /** the manifest and its cut lists, without the signature */
  readonly artifacts: readonly Artifact[]
  /** principals that it closes */
  readonly closed: readonly Hash[]
}

/** Cuts of one list: about 93 bytes each, so three quarters of what a payload may hold. */
export const CUTS_A_LIST = 8192

/**
 * Throws DiadError `no-manifest`, `authority-forked`, `root-forked`, `nothing-to-change`, `last-principal`, `principal-returns`, `root-key-reused`,
 * `duplicate-principal`, `not-a-principal` for a `close` of somebody who was never listed, and `cut-unknown` for a Map that names a head or a lane that
 * isn't held, or for a lane that isn't held and may or may not be of a principal of whom nothing is kept.
 */
export function amendManifest (k: DomainKnowledge, change: Change): Amended {
  const authority = k.authority()
  const { previous, path, place } = placeOf(authority, change.under)
  const before = previous.manifest
  const rows = rowsOf(change.principals ?? principalsOf(before), before)
  checkKeys(authority, previous, place, rows)
  const principals = rows.map((r) => r.principal)
  const scope = rows.map((r) => r.scope)
  const keeps = closing(previous, { principals, scope }, change)
  const closed = [...keeps.keys()].sort()
  const cuts = cutsFor(k, under(authority, path), keeps, change.anchor === true)
  const same = JSON.stringify([principals, scope]) === JSON.stringify([before.principals, before.scope])
  if (same && closed.length === 0 && cuts.length === 0 && change.under === undefined) {
    throw new DiadError('nothing-to-change', `manifest ${before.version} says all that already`, 'see `diad role list`')
  }
  const lists = cutLists(cuts)
  const manifest: DomainAuthorityManifest = {
    domain_id: k.domain,
    root_entry: place.rootEntry,
    version: before.version + 1,
    previous: previous.ref,
    root_key: place.rootKey,
    principals,
    policy_hash: place.policyHash,
    scope,
    closed,
    cuts: lists[0] === undefined ? NONE : cutListCodec.reference(cutListCodec.from(lists[0]))
  }
  return { manifest, ref: manifestCodec.reference(manifest), artifacts: [...lists, manifestCodec.artifact(manifest)], closed }
}

/** The principals of a manifest, as a {@link Change} takes them. */
export function principalsOf (m: DomainAuthorityManifest): NewPrincipal[] {
  return m.principals.map((p, i) => {
    const { prefixes, programs } = m.scope[i] as Scope
    return { publicKey: p.public_key, roles: p.roles, prefixes, programs }
  })
}

interface Place { readonly rootEntry: Reference, readonly rootKey: PublicKey, readonly policyHash: Hash }

/** M7: what the manifest follows, under which entry it stands, and all that it comes after, the first first. */
function placeOf (authority: Authority, under: Change['under']): { previous: JudgedManifest, path: JudgedManifest[], place: Place } {
  const none = (): DiadError => new DiadError('no-manifest', 'this domain has no manifest in force here', 'sync the domain first')
  if (under === undefined) {
    if (authority.state === 'root-forked') throw new DiadError('root-forked', 'the root chain of this domain branches', 'a rotation settles it: `diad root rotate --root-key new --new-roots DIR`')
    if (authority.state === 'authority-forked') throw new DiadError('authority-forked', 'two manifests follow the same one, so none can come after them', 'a root entry with a base settles it: see `diad root renew`')
  }
  const at = under?.previous ?? authority.tip
  const previous = at === undefined ? undefined : authority.judged.get(at)
  const top = authority.rootChain.entries.at(-1)?.ref
  const certificate = top === undefined ? undefined : authority.rootChain.judged.get(top)?.certificate
  if (previous?.verdict.status !== 'accepted' || top === undefined || certificate === undefined) throw none()
  const place = under ?? { rootEntry: top, rootKey: certificate.subject_pubkey, policyHash: certificate.policy_hash }
  return { previous, path: pathTo(authority, previous.ref), place }
}

/** A manifest and all that it comes after, the first first. */
function pathTo ({ judged }: Authority, ref: Reference): JudgedManifest[] {
  const path: JudgedManifest[] = []
  for (let j = judged.get(ref); j !== undefined; j = judged.get(j.manifest.previous)) path.push(j)
  return path.reverse()
}

/** M7: the authority as an epoch leaves it that goes on from `base`, before its first manifest. */
export function authorityFrom (authority: Authority, base: Reference): Authority {
  return under(authority, pathTo(authority, base))
}

/** The authority as it is just before the new manifest: a base may go back behind what is on chain now. */
function under (authority: Authority, path: readonly JudgedManifest[]): Authority {
  return {
    ...authority,
    onChain: path.map(({ ref, manifest, cuts }) => ({ ref, manifest, cuts })),
    position: new Map(path.map((j, i) => [j.ref, i])),
    forked: { cutLanes: new Set(), closedPrincipals: new Set() }
  }
}

interface Row { readonly principal: Principal, readonly scope: Scope }

/** As a manifest lists them: by id, roles and scope as ascending sets. Who is listed already keeps the programs, unless others are given. */
function rowsOf (principals: readonly NewPrincipal[], before: DomainAuthorityManifest): Row[] {
  if (principals.length === 0) throw new DiadError('last-principal', 'a domain can\'t be without any principal', 'grant another key its roles first, or replace this one: `diad key rotate`')
  const programs = new Map(before.scope.map((s) => [s.principal_id, s.programs]))
  const rows = principals.map((p): Row => {
    const id = principalId(p.publicKey)
    return {
      principal: { principal_id: id, public_key: p.publicKey, roles: ascending(p.roles) },
      scope: { principal_id: id, prefixes: ascending(p.prefixes), programs: ascending(p.programs ?? programs.get(id) ?? [NONE]) }
    }
  })
  rows.sort((a, b) => compareUtf8(a.principal.principal_id, b.principal.principal_id))
  const twice = rows.find((r, i) => r.principal.principal_id === rows[i + 1]?.principal.principal_id)
  if (twice !== undefined) throw new DiadError('duplicate-principal', `the key ${twice.principal.public_key} is listed twice`, 'name each key once, with all its roles')
  return rows
}

const ascending = <T extends string>(values: readonly T[]): T[] => [...new Set(values)].sort(compareUtf8)

/** M1, before anybody signs what all would reject. */
function checkKeys (authority: Authority, previous: JudgedManifest, place: Place, rows: readonly Row[]): void {
  // Each entry knows the root keys of all before it.
  const roots = [authority.rootChain.entries.at(-1)?.ref ?? place.rootEntry, place.rootEntry].map((ref) => authority.rootChain.judged.get(ref)?.rootKeys)
  const reused = [place.rootKey, ...rows.map((r) => r.principal.public_key)].find((key) => roots.some((keys) => keys?.has(key) === true))
  if (reused !== undefined) throw new DiadError('root-key-reused', `${reused} is an offline root key, which may sign nothing but root entries`, 'make a key of its own: `diad key new`')
  const listed = new Set(previous.manifest.principals.map((p) => p.principal_id))
  const back = rows.find((r) => !listed.has(r.principal.principal_id) && previous.seen.has(r.principal.principal_id))
  if (back !== undefined) throw new DiadError('principal-returns', `the key ${back.principal.public_key} was dropped before, and a dropped key never returns`, 'make a new key: `diad key new`')
}

/** M3: who loses something, and whom else to close, with what stays valid of their lanes. */
function closing (previous: JudgedManifest, next: Pick<DomainAuthorityManifest, 'principals' | 'scope'>, change: Change): Map<Hash, Keep> {
  const out = new Map<Hash, Keep>()
  const { manifest: before, seen } = previous
  const index = new Map(next.principals.map((p, i) => [p.principal_id, i]))
  before.principals.forEach((old, i) => {
    const loss = reduction(old, before.scope[i] as Scope, next, index.get(old.principal_id))
    if (loss !== undefined) out.set(old.principal_id, change.keep ?? 'held')
  })
  for (const [id, keep] of change.close ?? []) {
    if (!seen.has(id)) throw new DiadError('not-a-principal', `no manifest of this domain lists the principal ${id}`, 'see `diad role list`')
    out.set(id, keep)
  }
  return out
}

/** K1, K4: by lane, ascending. `authority` = all that comes before the new manifest. */
function cutsFor (k: DomainKnowledge, authority: Authority, keeps: ReadonlyMap<Hash, Keep>, anchor: boolean): Cut[] {
  const out = new Map<Reference, Cut>()
  for (const cut of cutsCarried(k, authority, keeps)) out.set(cut.lane, cut)
  for (const ref of k.order()) {
    const lane = k.lanes.get(ref) as LaneKnowledge
    const keep = keeps.get(lane.lane.principal)
    const snapshot = keep === undefined ? anchor ? headInForce(lane, authority) : undefined : keptHead(lane, authority, keep)
    if (snapshot !== undefined) out.set(ref, { lane: ref, snapshot, ends: keep !== undefined })
  }
  for (const [id, keep] of keeps) if (typeof keep === 'object') checkNamed(k, id, keep)
  return [...out.values()].sort((a, b) => compareUtf8(a.lane, b.lane))
}

/**
 * Earlier cuts of lanes that aren't held. Such a lane may be one of theirs: whoever closes its principal anew has to list it again, or it ends at 0 for
 * ever (K1); of others' lanes that says nothing new (K3 is a conjunction). Only lanes of principals of whom nothing is kept are left out: a manifest that
 * ended such a lane has closed its principal, too. Throws DiadError `cut-unknown` where a lane may be of either kind: no later manifest could mend that.
 */
function cutsCarried (k: DomainKnowledge, authority: Authority, keeps: ReadonlyMap<Hash, Keep>): Cut[] {
  const gone = [...keeps].filter(([, keep]) => keep === 'nothing').map(([id]) => id)
  const kept = [...keeps.keys()].filter((id) => !gone.includes(id))
  if (kept.length === 0) return []
  const last = new Map<Reference, Cut>()
  const owners = new Map<Reference, ReadonlySet<Hash>>()
  for (const m of authority.onChain) {
    for (const cut of m.cuts.values()) {
      if (k.lanes.has(cut.lane)) continue
      last.set(cut.lane, cut)
      if (cut.ends) owners.set(cut.lane, new Set(m.manifest.closed.filter((id) => owners.get(cut.lane)?.has(id) ?? true)))
    }
  }
  const may = (lane: Reference, ids: readonly Hash[]): boolean => ids.some((id) => owners.get(lane)?.has(id) ?? true)
  return [...last.values()].filter((cut) => {
    const both = may(cut.lane, gone) && may(cut.lane, kept)
    if (both) throw new DiadError('cut-unknown', `whose lane ${cut.lane} is isn't known here, so keeping nothing of one principal and something of another can't be said at once`, 'sync the domain first, or close the one of whom nothing is kept by a manifest of its own')
    return !may(cut.lane, gone)
  })
}

/** Where a lane of a principal that is closed now shall end; undefined for 0. */
function keptHead (lane: LaneKnowledge, authority: Authority, keep: Keep): Reference | undefined {
  if (typeof keep === 'object') return keep.get(lane.ref)
  return keep === 'held' ? greatestHeld(lane, authority) : undefined
}

/**
 * The greatest held head whose log is held and which the cuts so far allow. Where two branches are held and nothing anchors one of them, only what both
 * share: which of them is honest is for a person to say.
 */
export function greatestHeld (lane: LaneKnowledge, authority: Authority): Reference | undefined {
  if (!authority.position.has(lane.lane.manifest)) return undefined
  const { cuts, closedOut } = cutsOf(lane, authority)
  if (closedOut) return undefined
  const { branch, ends, endUnlinked, unlinked } = chooseBranch(lane, cuts)
  // An end that this node can't see yet stays what it is.
  if (endUnlinked || branch === undefined) return cuts.filter((c) => c.ends && (branch === undefined || unlinked.includes(c.snapshot))).at(-1)?.snapshot
  const most = lane.branches.length === 1 ? ends : Math.min(ends, viewLane(lane, authority).limit)
  return greatestOn(lane, branch.log, most)?.ref
}

/** K4: the greatest held head of a lane that counts up to there, evidence included; undefined where an earlier cut ends it already. */
export function headInForce (lane: LaneKnowledge, authority: Authority): Reference | undefined {
  const { log, limit } = viewLane(lane, authority)
  const ended = cutsOf(lane, authority).cuts.some((c) => c.ends)
  return log === undefined || ended ? undefined : greatestOn(lane, log, limit)?.ref
}

function greatestOn (lane: LaneKnowledge, log: Parameters<typeof liesOn>[0], most: number): Head | undefined {
  const fitting = [...lane.heads.values()].filter((h) => h.snapshot.log_size <= most && liesOn(log, h))
  return fitting.sort((a, b) => b.snapshot.log_size - a.snapshot.log_size || compareUtf8(a.ref, b.ref))[0]
}

function checkNamed (k: DomainKnowledge, id: Hash, keep: ReadonlyMap<Reference, Reference>): void {
  for (const [ref, snapshot] of keep) {
    const lane = k.lanes.get(ref)
    if (lane?.lane.principal !== id) throw new DiadError('cut-unknown', `${ref} is no lane of the principal ${id} that is held here`, 'see `diad role list`')
    if (!lane.heads.has(snapshot)) throw new DiadError('cut-unknown', `${snapshot} is no head of the lane ${ref} that is held here`, 'name a Snapshot of that lane')
  }
}

/** M4: the chain of lists, ascending by lane over all of it; the first list first, each with the next one's reference. */
export function cutLists (cuts: readonly Cut[], size = CUTS_A_LIST): Artifact[] {
  const out: Artifact[] = []
  let next = NONE
  for (let start = Math.floor((cuts.length - 1) / size) * size; start >= 0; start -= size) {
    const list = { cuts: cuts.slice(start, start + size), next }
    out.unshift(cutListCodec.artifact(list))
    next = cutListCodec.reference(list)
  }
  return out
}
