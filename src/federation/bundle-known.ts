/**
 * What content a receiver of a bundle holds already, judged from its heads alone: what CURRENT named there *then*. A tombstone, a leaf that was erased or
 * cut since, or a vouch that came since make that another name's content than what is named now. Whatever isn't certain isn't known: the bundle brings it.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type DomainView, type ViewedLane, wins } from '../authority/domain-view.js'
import { vouchedPrefix, vouchesIn } from '../authority/exports.js'
import { hasRole } from '../authority/lane-view.js'
import { KIND, namesContent, readBody, readLeaf } from '../publication/leaf.js'
import type { LeafLog } from '../publication/leaf-log.js'
import { type Hash, NONE, type Reference } from '../substrate/reference.js'

/** What a receiver has: of each lane its greatest head, and whether it holds all content that CURRENT named then. */
export interface HeldHeads {
  readonly lanes: ReadonlyMap<Reference, { readonly size: number, readonly root: Hash }>
  readonly whole: boolean
}

/** A leaf that the receiver has and that speaks of a name, with whether it certainly counted there. */
interface Said { readonly logseq: number, readonly ref: Reference, readonly leafHash: Hash, readonly sure: boolean }

const NAMING: ReadonlySet<number> = new Set([KIND.publish, KIND.lift, KIND.tombstone])

/** Content roots that a receiver with the heads `since`, which held all its names in full, certainly holds. */
export function knownRoots (k: DomainKnowledge, since: HeldHeads): Set<Reference> {
  const view = k.view()
  const nothing = new Set<Reference>()
  // Where the chain of manifests was another one, other leaves counted.
  if (view.authority.judged.size !== view.authority.onChain.length) return nothing
  const held: Array<{ v: ViewedLane, log: LeafLog, size: number }> = []
  for (const [ref, { size, root }] of since.lanes) {
    const v = view.lanes.get(ref)
    // Another branch, or more than is held here: what it says is anybody's guess.
    if (v?.log === undefined || size > v.log.size || v.log.root(size) !== root) return nothing
    held.push({ v, log: v.log, size })
  }
  const exported = exportedThen(view, new Map(held.map(({ v, size }) => [v.knowledge.ref, size])))
  const newest = new Map<string, Said>()
  // Nobody here can say any more what a leaf without its body named: it may have won over everything that is older.
  let unsaid = -1
  for (const { v, log, size } of held) {
    const end = exported.get(v.knowledge.ref) ?? 0
    for (let i = 0; i < size; i++) {
      const leaf = readLeaf(log.leaf(i))
      const counts = i < end && v.judged[i]?.status === 'accepted'
      if (leaf?.kind === KIND.erase && !counts) return nothing
      if (leaf === undefined || !NAMING.has(leaf.kind)) continue
      const payload = v.knowledge.bodies.get(leaf.body_hash)
      const body = payload === undefined ? undefined : readBody(leaf.kind, payload)
      if (!namesContent(body) && body?.kind !== 'tombstone') {
        unsaid = Math.max(unsaid, leaf.logseq)
        continue
      }
      const said = { logseq: leaf.logseq, ref: body.kind === 'tombstone' ? NONE : body.ref, leafHash: log.leafHash(i), sure: counts }
      const before = newest.get(body.name)
      if (before === undefined || wins(said, before)) newest.set(body.name, said)
    }
  }
  return new Set([...newest.values()].filter((s) => s.sure && s.ref !== NONE && s.logseq > unsaid).map((s) => s.ref))
}

/** How many leaves of each lane a receiver surely had exported to it, and so with their bodies. */
export function exportedTo (view: DomainView, since: HeldHeads): Map<Reference, number> {
  const sizes = new Map<Reference, number>()
  for (const [ref, { size, root }] of since.lanes) {
    const log = view.lanes.get(ref)?.log
    if (log !== undefined && size <= log.size && log.root(size) === root) sizes.set(ref, size)
  }
  return exportedThen(view, sizes)
}

/** A2, with the vouches that the receiver has. */
function exportedThen (view: DomainView, sizes: ReadonlyMap<Reference, number>): Map<Reference, number> {
  const vouched = (role: 'publish' | 'federate', ends: ReadonlyMap<Reference, number>): Map<Reference, number> => {
    const out = new Map<Reference, number>()
    for (const [ref, end] of ends) {
      const v = view.lanes.get(ref) as ViewedLane
      for (const { lane, snapshot } of hasRole(v, role) ? vouchesIn(v.judged, Math.min(end, v.judged.length)) : []) {
        const target = view.lanes.get(lane)
        if (target !== undefined) out.set(lane, Math.max(out.get(lane) ?? 0, vouchedPrefix(target, snapshot) ?? 0))
      }
    }
    return out
  }
  const federated = vouched('federate', sizes)
  const out = new Map<Reference, number>()
  for (const [ref, size] of sizes) {
    const v = view.lanes.get(ref) as ViewedLane
    out.set(ref, Math.min(v.exported, size, hasRole(v, 'federate') ? Infinity : federated.get(ref) ?? 0))
  }
  const published = vouched('publish', out)
  for (const [ref, end] of out) {
    const v = view.lanes.get(ref) as ViewedLane
    if (!hasRole(v, 'federate') && !hasRole(v, 'publish')) out.set(ref, Math.min(end, published.get(ref) ?? 0))
  }
  return out
}
