/** What a followed domain takes of this disk, and what its quota (the courtesy lease) left out. Source: federation/quota.ts. */
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { newestFirst, overQuota } from '../../federation/quota.js'
import { missingRoots } from '../../federation/mirror.js'
import { LEAF_BYTES } from '../../publication/leaf.js'
import type { LeaseResult } from '../command.js'
import type { Runtime } from '../runtime.js'

/** names listed that there is no room for */
const MAX_LISTED = 100

/** Nothing for the home's own domain, which is charged to nobody. */
export function leaseOf (runtime: Runtime, k: DomainKnowledge): LeaseResult {
  const record = runtime.records.get(k.domain)
  if (record === undefined || record.own) return {}
  const quota = record.quota ?? null
  return { quota, used: runtime.ports.audience.usedBytes(k.domain), recordBytes: recordBytes(k), ...(quota === null ? {} : { overQuota: leftOut(runtime, k) }) }
}

/** Whether all that is missing is missing for want of room. */
export function lacksRoomOnly (runtime: Runtime, k: DomainKnowledge): boolean {
  return missingRoots(runtime, k).every((root) => overQuota(runtime, k.domain, root) !== undefined)
}

/** Leaves and bodies: they replicate whole, whatever the quota (B1). */
function recordBytes (k: DomainKnowledge): number {
  let sum = 0
  for (const lane of k.lanes.values()) {
    for (const { log } of lane.branches) sum += log.size * LEAF_BYTES
    for (const body of lane.bodies.values()) sum += body.length
  }
  return sum
}

/** Newest first, which is the order in which room is given. */
function leftOut (runtime: Runtime, k: DomainKnowledge): NonNullable<LeaseResult['overQuota']> {
  const names = new Map<string, string>()
  for (const e of k.view().current.values()) if (!names.has(e.ref)) names.set(e.ref, e.name)
  const out: NonNullable<LeaseResult['overQuota']> = []
  for (const ref of newestFirst(k, missingRoots(runtime, k))) {
    const needs = overQuota(runtime, k.domain, ref)
    if (needs !== undefined && out.length < MAX_LISTED) out.push({ name: names.get(ref) ?? '', ref, needs })
  }
  return out
}
