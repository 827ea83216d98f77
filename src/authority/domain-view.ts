/**
 * A domain's view: what of the held lanes is visible, what is exported, and what CURRENT says of each name. A pure function of what is held, so
 * two nodes that hold the same compute the same bytes. Source: RULES R4, R7, S2, A1-A4, L5, E5.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { compareUtf8, fromHex, toHex } from '../substrate/bytes.js'
import { sha256Bytes } from '../substrate/hasher.js'
import { type Hash, NONE, type Reference, referenceBytes } from '../substrate/reference.js'
import { PUBLISHED } from '../publication/lane.js'
import { pathWithin } from '../publication/names.js'
import type { JudgedLeaf } from './leaf-rules.js'
import type { LaneKnowledge } from './lane-knowledge.js'
import { type LaneView, viewLane } from './lane-view.js'
import type { Authority } from './manifest-chain.js'

/** The rules this code judges by; a digest made under other rules isn't comparable (R6). */
export const RULE_VERSION = 1

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
}

/** What a view is computed from. */
export interface ViewInput {
  readonly domain: Reference
  readonly lanes: ReadonlyMap<Reference, LaneKnowledge>
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
}

const has = (v: LaneView, role: 'publish' | 'federate'): boolean => v.rights?.principal.roles.includes(role) ?? false

/** The prefix of `target` that a vouch for `snapshot` covers. */
function vouchedPrefix (target: LaneView, snapshot: Reference): number | undefined {
  const head = target.knowledge.heads.get(snapshot)?.snapshot
  if (head === undefined) return undefined
  const { log } = target
  if (log === undefined) return 0
  if (log.size >= head.log_size && log.root(head.log_size) === head.log_root) return Math.min(target.limit, head.log_size)
  // Another branch or not yet linked: what both share is at least everything below the smallest proven difference (E3).
  return Math.min(target.limit, head.log_size, target.knowledge.evidence?.index ?? 0)
}

/** Vouches in `judged`, in order. All of them count: what was exported once stays so, whoever withholds what a later vouch names (A2). */
function vouches (leaves: readonly JudgedLeaf[]): Array<{ lane: Reference, snapshot: Reference }> {
  return leaves.flatMap((j) => j.status === 'accepted' && j.body?.kind === 'vouch' ? [{ lane: j.body.lane, snapshot: j.body.snapshot }] : [])
}

interface Exports { exported: Map<Reference, number>, considered: Set<Reference>, withheld: Set<Reference>, named: Set<Reference>, vouched: Set<Reference> }

/** A2, L5. `all` = the owner's own view: every visible lane counts in full, internal ones too. */
function exportsOf (lanes: Map<Reference, LaneView>, all: boolean): Exports {
  const withheld = new Set<Reference>()
  const considered = new Set<Reference>()
  const named = new Set<Reference>()
  const vouched = new Set<Reference>()
  const collect = (leaves: readonly JudgedLeaf[], into: Map<Reference, number>): void => {
    for (const { lane, snapshot } of vouches(leaves)) {
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
  const shown = (v: LaneView): boolean => v.knowledge.lane.visibility === PUBLISHED
  // A Lane isn't signed itself and the id of a principal is public: without a head of its key it is nobody's.
  const signed = (v: LaneView): boolean => v.knowledge.heads.size > 0
  const federated = new Map<Reference, number>()
  for (const [ref, v] of lanes) {
    if (!shown(v) || !has(v, 'federate') || !signed(v)) continue
    considered.add(ref)
    collect(v.judged, federated)
    for (const { snapshot } of vouches(v.judged)) vouched.add(snapshot)
  }
  const exported = new Map<Reference, number>()
  for (const [ref, v] of lanes) {
    if (!has(v, 'publish') && !has(v, 'federate')) continue
    if (all) exported.set(ref, v.limit)
    else if (shown(v)) exported.set(ref, has(v, 'federate') ? v.limit : Math.min(v.limit, federated.get(ref) ?? 0))
  }
  const published = new Map<Reference, number>()
  for (const [ref, v] of lanes) if (has(v, 'publish')) collect(v.judged.slice(0, exported.get(ref) ?? 0), published)
  for (const [ref, v] of lanes) {
    if (has(v, 'publish') || has(v, 'federate')) continue
    const visible = Math.min(v.limit, published.get(ref) ?? 0)
    if (all) exported.set(ref, v.limit)
    else if (shown(v)) exported.set(ref, Math.min(visible, federated.get(ref) ?? 0))
  }
  // `previous` keeps a mirror from dropping one of a key's lanes unnoticed (L1).
  for (let grew = true; grew;) {
    grew = false
    for (const ref of considered) {
      const lane = lanes.get(ref)
      const previous = lane?.knowledge.lane.previous ?? NONE
      if (lane === undefined || previous === NONE || !signed(lane)) continue
      named.add(previous)
      const owner = [...lanes.values()].find((v) => shown(v) && v.knowledge.lane.principal === lane.knowledge.lane.principal && v.knowledge.heads.has(previous))
      if (owner === undefined) withheld.add(previous)
      else if (!considered.has(owner.knowledge.ref)) {
        considered.add(owner.knowledge.ref)
        grew = true
      }
    }
  }
  return { exported, considered, withheld, named, vouched }
}

/** R7: leaves that valid erase leaves name, as `lane/index`. */
function erasures (lanes: Map<Reference, LaneView>, exported: Map<Reference, number>): Set<string> {
  const out = new Set<string>()
  for (const [ref, v] of lanes) {
    for (const j of v.judged.slice(0, exported.get(ref) ?? 0)) {
      if (j.status !== 'accepted' || j.body?.kind !== 'erase') continue
      const target = lanes.get(j.body.lane)
      if (target?.log === undefined || j.body.index >= target.log.size) continue
      const own = target.knowledge.lane.principal === v.knowledge.lane.principal
      if (!own && !(v.rights?.scope.prefixes.includes('') ?? false)) continue
      const kind = target.judged[j.body.index]?.body?.kind
      if (kind === 'erase' || kind === 'vouch' || kind === 'admit') continue
      if (target.log.leafHash(j.body.index) === j.body.leaf_hash) out.add(`${j.body.lane}/${j.body.index}`)
    }
  }
  return out
}

/** R4's order: logseq, then ReferenceBytes, then leaf hash. */
function wins (a: CurrentEntry, b: CurrentEntry): boolean {
  if (a.logseq !== b.logseq) return a.logseq > b.logseq
  if (a.ref !== b.ref) return a.ref > b.ref
  return a.leafHash > b.leafHash
}

export function viewDomain (k: ViewInput, options: { all?: boolean } = {}): DomainView {
  const authority = k.authority()
  const lanes = new Map<Reference, LaneView>()
  for (const ref of [...k.lanes.keys()].sort()) lanes.set(ref, viewLane(k.lanes.get(ref) as LaneKnowledge, authority))
  const { exported, considered, withheld, named, vouched } = exportsOf(lanes, options.all ?? false)
  for (const m of authority.onChain) for (const cut of m.cuts.values()) named.add(cut.snapshot)
  const erased = erasures(lanes, exported)
  const flagged = [...lanes].filter(([ref, v]) => v.contested && (considered.has(ref) || options.all === true)).map(([, v]) => v.rights?.scope.prefixes ?? [])
  const winners = new Map<string, CurrentEntry>()
  let logseq = 0
  for (const [ref, v] of lanes) {
    v.judged.slice(0, exported.get(ref) ?? 0).forEach((j, index) => {
      if (j.status === 'accepted') logseq = Math.max(logseq, j.leaf.logseq)
      const { body } = j
      if (j.status !== 'accepted' || body === undefined || erased.has(`${ref}/${index}`)) return
      if (body.kind !== 'publish' && body.kind !== 'lift' && body.kind !== 'tombstone') return
      const code = flagged.some((prefixes) => prefixes.some((p) => pathWithin(p, body.name))) ? 'contested' : 'accepted'
      const entry: CurrentEntry = {
        name: body.name,
        ref: body.kind === 'tombstone' ? NONE : body.ref,
        mode: body.kind === 'tombstone' ? 0 : body.mode,
        kind: body.kind,
        logseq: j.leaf.logseq,
        leafHash: (v.log as NonNullable<typeof v.log>).leafHash(index),
        lane: ref,
        index,
        code
      }
      const held = winners.get(body.name)
      if (held === undefined || wins(entry, held)) winners.set(body.name, entry)
    })
  }
  const current = new Map([...winners].sort(([a], [b]) => compareUtf8(a, b)))
  const viewed = new Map([...lanes].map(([ref, v]) => [ref, { ...v, exported: exported.get(ref) ?? 0, considered: considered.has(ref) }]))
  return { domain: k.domain, authority, lanes: viewed, current, digest: viewDigest(current), logseq, withheld: [...withheld].sort(), named, vouched }
}

/** R4: SHA-256 of the CBOR array, sorted by name, of [name, ref, logseq, leaf_hash, lane, index, code]. */
function viewDigest (current: Map<string, CurrentEntry>): Hash {
  const rows = [...current.values()].map((e) => [e.name, referenceBytes(e.ref), e.logseq, fromHex(e.leafHash), referenceBytes(e.lane), e.index, e.code])
  return toHex(sha256Bytes(dagCbor.encode(rows))) as Hash
}
