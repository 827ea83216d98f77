/** How far each lane reaches: visible in the domain, exported to everybody, or neither yet; and what it says there. Source: RULES A2. */
import { type Body, hasBody, type Leaf, namesContent, readBody, readLeaf } from '../publication/leaf.js'
import type { Reference } from '../substrate/reference.js'
import type { DomainView, ViewedLane } from './domain-view.js'
import { vouchedPrefix, vouchesIn } from './exports.js'
import { hasRole } from './lane-view.js'

/** Leaves of each lane below which all are visible in the domain. `all` is the owner's view ({@link viewDomain} with `all`). */
export function visiblePrefixes (all: DomainView): Map<Reference, number> {
  const out = new Map<Reference, number>()
  for (const [ref, v] of all.lanes) {
    out.set(ref, hasRole(v, 'publish') || hasRole(v, 'federate') ? v.limit : 0)
  }
  for (const v of all.lanes.values()) {
    if (!hasRole(v, 'publish')) continue
    for (const { lane, snapshot } of vouchesIn(v.judged, v.judged.length)) {
      const target = all.lanes.get(lane)
      const prefix = target === undefined ? undefined : vouchedPrefix(target, snapshot)
      if (prefix !== undefined) out.set(lane, Math.max(out.get(lane) ?? 0, prefix))
    }
  }
  return out
}

/** The names that accepted leaves from `from` up to `to` speak of, sorted, each once. */
export function namesBetween (v: ViewedLane, from: number, to: number): string[] {
  const out = new Set<string>()
  for (const j of v.judged.slice(from, to)) {
    const name = j.status === 'accepted' ? nameOf(j) : undefined
    if (name !== undefined) out.add(name)
  }
  return [...out].sort()
}

/** The published name that a leaf speaks of. */
export function nameOf ({ body }: { readonly body: Body | undefined }): string | undefined {
  return namesContent(body) || body?.kind === 'tombstone' ? body.name : undefined
}

/** A record of the held log, whether or not it counts; `body` is undefined where it isn't held or malformed. */
export function readRecord (v: ViewedLane, index: number): { leaf: Leaf, body: Body | undefined } | undefined {
  const log = v.log ?? v.knowledge.branches[0]?.log
  const bytes = log === undefined || index >= log.size ? undefined : log.leaf(index)
  const leaf = bytes === undefined ? undefined : readLeaf(bytes)
  if (leaf === undefined) return undefined
  const payload = hasBody(leaf.kind) ? v.knowledge.bodies.get(leaf.body_hash) : undefined
  return { leaf, body: payload === undefined ? undefined : readBody(leaf.kind, payload) }
}
