/** What a followed domain takes of this disk, and what its quota (the courtesy lease) left out. Source: federation/quota.ts. */
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { isWhole } from '../../federation/ledger.js'
import { newestFirst, overQuota } from '../../federation/quota.js'
import { missingRoots } from '../../federation/mirror.js'
import type { Reference } from '../../substrate/reference.js'
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

/** Bytes that a root takes at least which isn't here for want of room; undefined for every other. */
export function lacksRoom (runtime: Runtime, domain: Reference, root: Reference): number | undefined {
  return isWhole(runtime.ports.kv, domain, root) ? undefined : overQuota(runtime, domain, root)
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
  // Several names may stand for the same content.
  const names = new Map<Reference, string[]>()
  for (const e of k.view().current.values()) names.set(e.ref, [...names.get(e.ref) ?? [], e.name])
  const out: NonNullable<LeaseResult['overQuota']> = []
  for (const ref of newestFirst(k, missingRoots(runtime, k))) {
    const needs = overQuota(runtime, k.domain, ref)
    if (needs === undefined) continue
    for (const name of names.get(ref) ?? ['']) out.push({ name, ref, needs })
    if (out.length >= MAX_LISTED) break
  }
  return out.slice(0, MAX_LISTED)
}
