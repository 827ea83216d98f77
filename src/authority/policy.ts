/**
 * DomainPolicy and what this program makes of it. The safety switches are decoded as they stand and judged afterwards (M9), so that a policy which
 * switches one off gets a verdict that says so; in the same way a later version is `needs-upgrade` (B5), not malformed. Source: SCHEMA [04], RULES T2.
 */
import { artifactCodec } from '../substrate/codec.js'
import { digestOf, type Hash } from '../substrate/reference.js'
import { bool, list, literal, ref, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { ROLES } from './role-names.js'
import { MANY, roleSet } from './shapes.js'

const U32 = 0xffffffff
/** The newest policy version whose meaning this program knows. */
export const POLICY_VERSION = 1

const shape = struct({
  version: uint(U32, 1),
  reserved0: literal(0),
  publication_policy: struct({ require_signature: bool, allowed_roles: roleSet(0), snapshot_required: bool }),
  execution_policy: struct({ per_signature_required: bool, allowed_roles: roleSet(0), deterministic_only: bool }),
  federation_policy: struct({
    export_published_only: bool,
    require_snapshot: bool,
    /** empty = public */
    trusted_domains: list(ref, { max: MANY, ascending: (domain) => domain })
  }),
  retention_policy: struct({ gc_unpublished_allowed: bool, min_snapshot_retention: uint(U32) }),
  visibility_policy: struct({ internal_hidden: bool, published_read_only: bool })
})

export type DomainPolicy = TypeOf<typeof shape>
export const policyCodec = artifactCodec(TAG.domainPolicy, 'DomainPolicy', shape)

/** policy_hash: the digest of the policy's artifact. */
export function policyHash (policy: DomainPolicy): Hash {
  return digestOf(policyCodec.reference(policy))
}

/** M9: the safety switches that are off, by their field names; empty when the policy is supported. */
export function switchesOff (policy: DomainPolicy): string[] {
  const { publication_policy: p, execution_policy: e, federation_policy: f, visibility_policy: v } = policy
  const switches: Array<[string, boolean]> = [
    ['require_signature', p.require_signature],
    ['snapshot_required', p.snapshot_required],
    ['per_signature_required', e.per_signature_required],
    ['deterministic_only', e.deterministic_only],
    ['export_published_only', f.export_published_only],
    ['require_snapshot', f.require_snapshot],
    ['internal_hidden', v.internal_hidden],
    ['published_read_only', v.published_read_only]
  ]
  return switches.filter(([, on]) => !on).map(([name]) => name)
}

/** B5 and M9 in one: what keeps this program from judging under `policy`, or undefined. */
export function policyFault (policy: DomainPolicy): { code: 'needs-upgrade' | 'policy-unsupported', text: string } | undefined {
  if (policy.version > POLICY_VERSION) return { code: 'needs-upgrade', text: `the policy has version ${policy.version}; this program knows ${POLICY_VERSION}` }
  const off = switchesOff(policy)
  return off.length === 0 ? undefined : { code: 'policy-unsupported', text: `the policy switches off ${off.join(', ')}` }
}

/** A public domain in which every role may do what RULES R2 gives it, and the last 16 heads keep their content. */
export const defaultPolicy: DomainPolicy = {
  version: 1,
  reserved0: 0,
  publication_policy: { require_signature: true, allowed_roles: [...ROLES], snapshot_required: true },
  execution_policy: { per_signature_required: true, allowed_roles: ['execute'], deterministic_only: true },
  federation_policy: { export_published_only: true, require_snapshot: true, trusted_domains: [] },
  retention_policy: { gc_unpublished_allowed: true, min_snapshot_retention: 16 },
  visibility_policy: { internal_hidden: true, published_read_only: true }
}
