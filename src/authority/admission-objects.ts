/** AdmissionRequest and AdmissionRecord. Source: RULES D1, D2; protocols/schema. */
import { prefix } from '../publication/names.js'
import { outermost, prefixesCover } from '../publication/prefix-set.js'
import { artifactCodec } from '../substrate/codec.js'
import { compareUtf8 } from '../substrate/bytes.js'
import { checked, hash, hex, list, oneOf, ref, type Shape, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { MANY } from './shapes.js'

/** From the most to the least restrictive (D4). */
export const DECISIONS = ['REJECTED', 'DEFERRED', 'ACCEPTED_LIMITED', 'ACCEPTED'] as const
export type Decision = typeof DECISIONS[number]

/** Names by whole segments, '' = everything. None covers another, so that equal sets of names have equal bytes. */
function scopeShape (min: number): Shape<string[]> {
  return checked(list(prefix, { min, max: MANY, ascending: (p) => p }), (prefixes) => outermost(prefixes).length === prefixes.length ? undefined : 'prefixes of which none covers another')
}

const requestShape = struct({
  applicant: ref,
  root_entry: ref,
  manifest: ref,
  requested_scope: scopeShape(1),
  receiver: ref,
  nonce: hex(32)
})
/** Signed with purpose `admission-request` by the root_key of the manifest that it names. */
export type AdmissionRequest = TypeOf<typeof requestShape>
export const admissionRequestCodec = artifactCodec(TAG.admissionRequest, 'AdmissionRequest', requestShape)

const recordShape = checked(struct({
  domain_id: ref,
  /** digest of the manifest that was judged */
  dam_hash: hash,
  policy_hash: hash,
  admitted_scope: scopeShape(0),
  decision: oneOf(...DECISIONS),
  /** counts our decisions */
  decision_epoch: uint(),
  request: ref,
  /** records that this one replaces */
  previous: list(ref, { max: MANY, ascending: (r) => r })
}), (r) => admits(r.decision) === r.admitted_scope.length > 0 ? undefined : 'an admitted scope exactly where something is accepted')
export type AdmissionRecord = TypeOf<typeof recordShape>
export const admissionRecordCodec = artifactCodec(TAG.admissionRecord, 'AdmissionRecord', recordShape)

export function admits (decision: Decision): boolean {
  return decision === 'ACCEPTED' || decision === 'ACCEPTED_LIMITED'
}

// ── scopes: sets of names, written as prefixes ──

/** The same set of names, ascending, without what another prefix covers. */
export function normalScope (prefixes: readonly string[]): string[] {
  return outermost(prefixes).sort(compareUtf8)
}

export function scopeHolds (scope: readonly string[], name: string): boolean {
  return prefixesCover(scope, name)
}

/** The names that are in both. */
export function commonScope (a: readonly string[], b: readonly string[]): string[] {
  return normalScope([...a.filter((p) => scopeHolds(b, p)), ...b.filter((p) => scopeHolds(a, p))])
}

/** Whether every name of `inner` is in `outer`. */
export function scopeWithin (inner: readonly string[], outer: readonly string[]): boolean {
  return inner.every((p) => scopeHolds(outer, p))
}
