/**
 * A domain's view: what of the held lanes is visible, what is exported, and what CURRENT says of each name. A pure function of what is held, so
 * two nodes that hold the same compute the same bytes. Source: RULES R4, R7, S2, A1-A4, L5, E5.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { compareUtf8, fromHex, joinBytes, toHex } from '../substrate/bytes.js'
import { sha256Bytes } from '../substrate/hasher.js'
import { type Hash, NONE, type Reference, referenceBytes } from '../substrate/reference.js'
import { type Lane, PUBLISHED } from '../publication/lane.js'
import { KIND, namesContent, readLeaf } from '../publication/leaf.js'
import type { LeafLog } from '../publication/leaf-log.js'
import { prefixesCover } from '../publication/prefix-set.js'
import { cutsOnce } from './cut-chain.js'
import { exportsOf, type Promises } from './exports.js'
import type { JudgedLeaf } from './leaf-rules.js'
import { firstDifference, type Head, type LaneKnowledge, liesOn } from './lane-knowledge.js'
import { type LaneView, viewLane } from './lane-view.js'
import { scopeHasName } from './manifest.js'
import type { Authority } from './manifest-chain.js'

/** The winner of one name. `ref` is NONE for a tombstone, which is part of the view though no listing shows it. */
export interface CurrentEntry {
  readonly name: string
  readonly ref: Reference
  readonly mode: number
  readonly kind: 'publish' | 'tombstone' | 'lift'
  readonly logseq: number
  readonly leafHash: Hash
  readonly lane: Reference
  readonly index: number
  readonly code: 'accepted' | 'contested'
}

export interface ViewedLane extends LaneView {
  /** leaves below this are exported (A2); 0 = the lane is not part of the domain's advert */
  readonly exported: number
  /** L5: named by a federate key, by what it vouches for, or by `previous` of either */
  readonly considered: boolean
  /** its log is worth asking for: it is considered, or would be if a log were held */
  readonly sought: boolean
}

/** What a view is computed from. */
export interface ViewInput {
  readonly domain: Reference
  readonly lanes: ReadonlyMap<Reference, LaneKnowledge>
  /** the keys of `lanes`, ascending */
  readonly order: () => readonly Reference[]
  readonly authority: () => Authority
}

export interface DomainView {
  readonly domain: Reference
  readonly authority: Authority
  readonly lanes: ReadonlyMap<Reference, ViewedLane>
  /** by name; exported leaves only, unless asked for all */
  readonly current: ReadonlyMap<string, CurrentEntry>
  /** SHA-256 over the view, see protocols/publication.md */
  readonly digest: Hash
  /** greatest logseq of accepted leaves; an honest publisher's next is one more (R3) */
  readonly logseq: number
  /** heads and lanes that held leaves name and that aren't held: `incomplete: withheld` (A3) */
  readonly withheld: readonly Reference[]
  /** heads that vouches, cuts and `previous` name: they must be kept and served */
  readonly named: ReadonlySet<Reference>
  /** heads that federate keys vouched for */
  readonly vouched: ReadonlySet<Reference>
  /** vouched heads on other branches whose logs export more of their lanes than anything held does (A2) */
  readonly promising: ReadonlyMap<Reference, Promises>
  /** R7: erased leaves as `lane/index`: without effect, and their bodies are not served */
  readonly erased: ReadonlySet<string>
  /** those of `erased` whose erase leaf lies under an anchor (K4): their bodies are dropped */
  readonly droppable: ReadonlySet<string>
}

const LASTING: ReadonlySet<number> = new Set([KIND.erase, KIND.vouch, KIND.admit])

/** L2: a leaf of a published lane names no internal one: a stolen publishing key can't erase what was never shown to it. */
export const namesInternal = (by: Lane, target: Lane): boolean => by.visibility === PUBLISHED && target.visibility !== PUBLISHED

/** R7, L2: whether a leaf of the lane `by` may erase one of `target`: of its own principal's, or with the whole domain as scope. */
function mayErase ({ knowledge: { lane }, rights }: LaneView, { knowledge: { lane: target } }: LaneView): boolean {
  if (namesInternal(lane, target)) return false
  return target.principal === lane.principal || (rights !== undefined && scopeHasName(rights.scope, ''))
}

/** R7: the valid erase leaves in the first `endOf` leaves of each lane, and what they name. */
export function * eraseLeaves<V extends LaneView> (lanes: ReadonlyMap<Reference, V>, endOf: (v: V) => number): Generator<{ readonly by: V, readonly at: number, readonly lane: Reference, readonly index: number }> {
  for (const v of lanes.values()) {
    const end = endOf(v)
    for (let at = 0; at < end; at++) {
      const { status, body } = v.judged[at] as JudgedLeaf
      if (body?.kind !== 'erase' || status !== 'accepted') continue
      const target = lanes.get(body.lane)
      if (target?.log === undefined || body.index >= target.log.size) continue
      if (!mayErase(v, target)) continue
      // The leaf's own kind: a node that doesn't hold the body must judge alike.
      const leaf = readLeaf(target.log.leaf(body.index))
      if (leaf === undefined || LASTING.has(leaf.kind) || target.log.leafHash(body.index) !== body.leaf_hash) continue
      yield { by: v, at, lane: body.lane, index: body.index }
    }
  }
}

/** What they name, by lane. `true` = the erase leaf lies under an anchor, so the target's body may be dropped. */
function erasures (lanes: Map<Reference, LaneView>, exported: Map<Reference, number>, anchors: ReadonlyMap<Reference, number>): Map<Reference, Map<number, boolean>> {
  const out = new Map<Reference, Map<number, boolean>>()
  for (const { by: { knowledge: { ref } }, at, lane, index } of eraseLeaves(lanes, (v) => exported.get(v.knowledge.ref) ?? 0)) {
    let ofLane = out.get(lane)
    if (ofLane === undefined) out.set(lane, ofLane = new Map<number, boolean>())
    ofLane.set(index, (ofLane.get(index) ?? false) || at < (anchors.get(ref) ?? 0))
  }
  return out
}

/** Per lane the leaves under its greatest on-chain anchor that lies on the log in force (K4). */
function anchorsOf (lanes: Map<Reference, LaneView>, authority: Authority): Map<Reference, number> {
  const out = new Map<Reference, number>()
  for (const { lane: ref, snapshot } of cutsOnce(authority.onChain.map((m) => m.cuts))) {
    const v = lanes.get(ref)
    const head = v?.knowledge.heads.get(snapshot)
    if (v?.log !== undefined && head !== undefined && liesOn(v.log, head)) out.set(ref, Math.max(out.get(ref) ?? 0, head.snapshot.log_size))
  }
  return out
}

const erasedLeaf = (j: JudgedLeaf): JudgedLeaf => ({ leaf: j.leaf, body: undefined, status: 'informational', code: 'erased' })

/** R4's order: logseq, then ReferenceBytes, then leaf hash. */
export function wins (a: Pick<CurrentEntry, 'logseq' | 'ref' | 'leafHash'>, b: Pick<CurrentEntry, 'logseq' | 'ref' | 'leafHash'>): boolean {
  if (a.logseq !== b.logseq) return a.logseq > b.logseq
  if (a.ref !== b.ref) return a.ref > b.ref
  return a.leafHash > b.leafHash
}

const seen = new WeakMap<LaneKnowledge, { readonly version: number, readonly authority: Authority, readonly view: LaneView }>()

/** A lane's view rests on the lane and the authority alone; of a domain with many lanes one changes at a time. */
function laneUnder (k: LaneKnowledge, authority: Authority): LaneView {
  let held = seen.get(k)
  if (held?.version !== k.version || held.authority !== authority) seen.set(k, held = { version: k.version, authority, view: viewLane(k, authority) })
  return held.view
}

const shownLast = new WeakMap<LaneView, ViewedLane>()

/** Most lanes are in a view what they were in the last one. */
function laneIn (v: LaneView, judged: readonly JudgedLeaf[], exported: number, considered: boolean, sought: boolean): ViewedLane {
  let out = shownLast.get(v)
  if (out?.judged !== judged || out.exported !== exported || out.considered !== considered || out.sought !== (considered || sought)) {
    shownLast.set(v, out = { ...v, judged, exported, considered, sought: considered || sought })
  }
  return out
}

export function viewDomain (k: ViewInput, options: { all?: boolean } = {}): DomainView {
  const all = options.all ?? false
  const authority = k.authority()
  const lanes = new Map<Reference, LaneView>()
  for (const ref of k.order()) lanes.set(ref, laneUnder(k.lanes.get(ref) as LaneKnowledge, authority))
  const { exported, considered, withheld, named, vouched, promising, sought } = exportsOf(lanes, all, Array.from(cutsOnce(authority.onChain.map((m) => m.cuts)), (cut) => cut.snapshot))
  const gone = erasures(lanes, exported, anchorsOf(lanes, authority))
  const viewed = new Map<Reference, ViewedLane>()
  const erased = new Set<string>()
  const droppable = new Set<string>()
  let logseq = 0
  for (const [ref, v] of lanes) {
    const ofLane = gone.get(ref)
    for (const [index, anchored] of ofLane ?? []) {
      erased.add(`${ref}/${index}`)
      if (anchored) droppable.add(`${ref}/${index}`)
    }
    // R7: without effect whether or not the body is held, so whatever the body would have said is not asked.
    const judged = ofLane === undefined ? v.judged : v.judged.map((j, i) => ofLane.has(i) ? erasedLeaf(j) : j)
    const end = exported.get(ref) ?? 0
    viewed.set(ref, laneIn(v, judged, end, considered.has(ref), sought.has(ref)))
    // Along a lane logseq grows (R3), so the last accepted leaf has the greatest.
    for (let i = end - 1; i >= 0; i--) {
      const j = judged[i] as JudgedLeaf
      if (j.status !== 'accepted') continue
      logseq = Math.max(logseq, j.leaf.logseq)
      break
    }
  }
  // Worked out when asked for: most views are taken to see what to ask, keep and serve, and that takes no names.
  let current: ReadonlyMap<string, CurrentEntry> | undefined
  let digest: Hash | undefined
  return {
    domain: k.domain,
    authority,
    lanes: viewed,
    get current () { return current ??= currentOf(viewed, all) },
    get digest () { return digest ??= viewDigest(this.current) },
    logseq,
    withheld: [...withheld].sort(),
    named,
    vouched,
    promising,
    erased,
    droppable
  }
}

/** A judged leaf belongs to one place in one log, and is replaced when its body comes: what it says for its name never changes. */
const entries = new WeakMap<JudgedLeaf, CurrentEntry>()

/** What an accepted leaf says for its name; undefined for one that says nothing for any. */
export function entryOf (v: ViewedLane, index: number): CurrentEntry | undefined {
  const j = v.judged[index] as JudgedLeaf
  const { body } = j
  if (j.status !== 'accepted' || (!namesContent(body) && body?.kind !== 'tombstone')) return undefined
  let entry = entries.get(j)
  if (entry === undefined) {
    entry = {
      name: body.name,
      ref: body.kind === 'tombstone' ? NONE : body.ref,
      mode: body.kind === 'tombstone' ? 0 : body.mode,
      kind: body.kind,
      logseq: j.leaf.logseq,
      leafHash: (v.log as NonNullable<typeof v.log>).leafHash(index),
      lane: v.knowledge.ref,
      index,
      code: 'accepted'
    }
    entries.set(j, entry)
  }
  return entry
}

/** What lies under several scopes together, by the first of them: a view is taken again with each head that comes, while forks are few. */
const unions = new WeakMap<readonly string[], { readonly of: ReadonlySet<readonly string[]>, readonly prefixes: readonly string[] }>()

/** E5: prefixes of the keys that signed two histories. Lanes under one manifest share their scope, so each counts once, however many lanes fork. */
function doubtful (lanes: ReadonlyMap<Reference, ViewedLane>, all: boolean): readonly string[] {
  const scopes = new Set<readonly string[]>()
  for (const v of lanes.values()) {
    // What stands in an internal lane names nothing: our own view must not doubt what nobody else doubts.
    const counts = v.considered || (all && v.knowledge.lane.visibility === PUBLISHED)
    if (v.contested && counts && v.rights !== undefined) scopes.add(v.rights.scope.prefixes)
  }
  const [first, ...others] = scopes
  if (first === undefined || others.length === 0) return first ?? []
  let held = unions.get(first)
  if (held === undefined || held.of.size !== scopes.size || others.some((s) => held?.of.has(s) !== true)) unions.set(first, held = { of: scopes, prefixes: [first, ...others].flat() })
  return held.prefixes
}

/** R4: per name the winner among the exported leaves, by name. */
function currentOf (lanes: ReadonlyMap<Reference, ViewedLane>, all: boolean): Map<string, CurrentEntry> {
  const flagged = doubtful(lanes, all)
  const winners = new Map<string, CurrentEntry>()
  for (const v of lanes.values()) {
    for (let index = 0; index < v.exported; index++) {
      const entry = entryOf(v, index)
      if (entry === undefined) continue
      const held = winners.get(entry.name)
      if (held === undefined || wins(entry, held)) winners.set(entry.name, entry)
    }
  }
  const out = new Map<string, CurrentEntry>()
  for (const [name, entry] of [...winners].sort(([a], [b]) => compareUtf8(a, b))) {
    out.set(name, prefixesCover(flagged, name) ? { ...entry, code: 'contested' } : entry)
  }
  return out
}

/** The names that a listing shows, and that every count of names means: a tombstone is a winner too, and shows nothing. */
export function shownNames ({ current }: Pick<DomainView, 'current'>): CurrentEntry[] {
  return [...current.values()].filter((e) => e.ref !== NONE)
}

/** The log that others may see up to `head`, and of how many leaves with the bodies; undefined where they may not, or where it isn't held. */
export function shownLog (v: ViewedLane, head: Head, { vouched, named }: Pick<DomainView, 'vouched' | 'named'>): { log: LeafLog, bodies: number } | undefined {
  const size = head.snapshot.log_size
  // L2: an internal lane is nobody's to see, whoever names its heads.
  if (v.log === undefined || v.knowledge.lane.visibility !== PUBLISHED) return undefined
  // A head that a federate key vouched for is the domain's own advert, even where a fork or a malformed leaf ends the lane below it (E4).
  if (advertised(v, head, vouched) && liesOn(v.log, head)) return { log: v.log, bodies: size }
  // K2, A3: a head that a cut, a vouch or a `previous` names is one for sync, however little of the lane is exported and on whichever branch it lies:
  // whoever hears of it has to see what it ends, and that nothing is withheld.
  const log = named.has(head.ref) ? [v, ...v.knowledge.branches].find((b) => b.log !== undefined && liesOn(b.log, head))?.log : undefined
  return log === undefined ? undefined : { log, bodies: Math.min(v.exported, size, log === v.log ? size : firstDifference(log, v.log)) }
}

/** Leaves beyond it only the lane's owner needs: what an ending cut ends, of a key that exports (K3: it may be a thief's, and endless), else what isn't exported (A3). */
export const worthHaving = (v: ViewedLane): number => v.federates ? v.reach : v.exported

function advertised (v: ViewedLane, head: Head, vouched: ReadonlySet<Reference>): boolean {
  return head.snapshot.log_size <= worthHaving(v) || vouched.has(head.ref)
}

/** Heads of a lane that stand in the inventory: the greatest that is exported, and those that cuts, vouches and `previous` name. */
export function servedHeads (v: ViewedLane, view: Pick<DomainView, 'named' | 'vouched'>): Head[] {
  const out: Head[] = []
  let best: Head | undefined
  for (const head of v.knowledge.heads.values()) {
    const size = head.snapshot.log_size
    // Its log may be held by nobody here. The head alone says what a vouch covers and that nothing is withheld (A3), so it is kept and passed on.
    if (view.named.has(head.ref) && v.knowledge.lane.visibility === PUBLISHED) out.push(head)
    if (shownLog(v, head, view) === undefined || !advertised(v, head, view.vouched)) continue
    if (best === undefined || size > best.snapshot.log_size || (size === best.snapshot.log_size && head.ref < best.ref)) best = head
  }
  if (best !== undefined && !view.named.has(best.ref)) out.push(best)
  return out
}

const rows = new WeakMap<CurrentEntry, Uint8Array>()

function rowOf (e: CurrentEntry): Uint8Array {
  let row = rows.get(e)
  if (row === undefined) rows.set(e, row = dagCbor.encode([e.name, referenceBytes(e.ref), e.logseq, fromHex(e.leafHash), referenceBytes(e.lane), e.index, e.code]))
  return row
}

/** The head of a CBOR array of `n` items. */
function arrayHead (n: number): Uint8Array {
  if (n < 24) return Uint8Array.of(0x80 | n)
  if (n < 0x100) return Uint8Array.of(0x98, n)
  if (n < 0x10000) return Uint8Array.of(0x99, n >> 8, n & 0xff)
  return Uint8Array.of(0x9a, n >>> 24, n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff)
}

/** R4: SHA-256 of the CBOR array, sorted by name, of [name, ref, logseq, leaf_hash, lane, index, code]. Each row is encoded once. */
export function viewDigest (current: ReadonlyMap<string, CurrentEntry>): Hash {
  const parts = [arrayHead(current.size)]
  for (const entry of current.values()) parts.push(rowOf(entry))
  return toHex(sha256Bytes(joinBytes(parts))) as Hash
}
