/**
 * What one leaf may do under its lane's manifest and policy, for ever (L1, M2): the role x kind table, scope, and the rules that can stop a whole
 * lane. Depends on nothing but the leaf, its body and the manifest the lane names. Source: RULES R1-R3, R6, T2.
 */
import { LIMITS } from '../substrate/limits.js'
import { type Body, hasBody, isSkippable, KIND, kindName, type KindName, type Leaf, NO_BODY, readBody } from '../publication/leaf.js'
import type { DomainPolicy } from './policy.js'
import { type Principal, type Role, type Scope, scopeHasName } from './manifest.js'
import type { VerdictCode } from './verdict.js'

type Section = 'publication' | 'execution' | 'none'

/** R2 and T2 in one table: which role a kind needs, and in which policy section that role must be allowed too. */
export const KIND_RULES: Record<KindName, { roles: Role[] | 'any', section: Section, scoped: boolean }> = {
  publish: { roles: ['produce', 'publish'], section: 'publication', scoped: true },
  tombstone: { roles: ['produce', 'publish'], section: 'publication', scoped: true },
  lift: { roles: ['produce', 'publish'], section: 'publication', scoped: true },
  erase: { roles: ['publish'], section: 'publication', scoped: false },
  receipt: { roles: ['execute'], section: 'execution', scoped: false },
  statement: { roles: 'any', section: 'none', scoped: false },
  admit: { roles: ['federate'], section: 'none', scoped: false },
  vouch: { roles: ['federate', 'publish'], section: 'none', scoped: false },
  tick: { roles: 'any', section: 'none', scoped: false },
  close: { roles: 'any', section: 'none', scoped: false }
}

/** The statement type that only auditors may make (P7). */
export const AUDITED = 'audited'

/** What the lane's manifest gives its principal. */
export interface LaneRights {
  readonly principal: Principal
  readonly scope: Scope
  readonly policy: DomainPolicy
}

export interface JudgedLeaf {
  readonly leaf: Leaf
  /** present when held and well-formed */
  readonly body: Body | undefined
  readonly status: 'accepted' | 'deferred' | 'rejected' | 'informational'
  readonly code: VerdictCode
}

/** R2, T2: judges one leaf alone. `payload` = its body, undefined when not held. */
export function judgeLeaf (leaf: Leaf, payload: Uint8Array | undefined, rights: LaneRights): JudgedLeaf {
  const name = kindName(leaf.kind)
  if (name === undefined) return { leaf, body: undefined, status: 'informational', code: 'kind-unknown' }
  const rule = KIND_RULES[name]
  const fitting = rights.principal.roles.filter((r) => rule.roles === 'any' || rule.roles.includes(r))
  if (fitting.length === 0) return { leaf, body: undefined, status: 'rejected', code: 'role-missing' }
  const allowed = rule.section === 'none' ? undefined : rights.policy[`${rule.section}_policy`].allowed_roles
  if (allowed !== undefined && !fitting.some((r) => allowed.includes(r))) return { leaf, body: undefined, status: 'rejected', code: 'role-not-allowed' }
  if (!hasBody(leaf.kind)) {
    return leaf.body_hash === NO_BODY ? { leaf, body: undefined, status: 'accepted', code: 'accepted' } : { leaf, body: undefined, status: 'rejected', code: 'body-malformed' }
  }
  if (payload === undefined) return { leaf, body: undefined, status: 'deferred', code: 'body-missing' }
  const body = readBody(leaf.kind, payload)
  if (body === undefined) return { leaf, body, status: 'rejected', code: 'body-malformed' }
  if (rule.scoped && 'name' in body && !scopeHasName(rights.scope, body.name)) return { leaf, body, status: 'rejected', code: 'out-of-scope' }
  if (body.kind === 'statement' && body.type === AUDITED && !rights.principal.roles.includes('audit')) {
    return { leaf, body, status: 'rejected', code: 'role-missing' }
  }
  return { leaf, body, status: 'accepted', code: 'accepted' }
}

export interface LaneStop {
  readonly index: number
  readonly status: 'deferred' | 'rejected'
  readonly code: 'needs-upgrade' | 'lane-malformed'
}

/** R3, R6: whether the leaf at `index` stops its lane, given the leaf before it. Rests on the 42 bytes alone. */
export function stopsLane (leaf: Leaf, index: number, before: Leaf | undefined): LaneStop | undefined {
  const least = before === undefined ? 0 : before.logseq + 1
  const most = (before?.logseq ?? 0) + LIMITS.logseqStep
  const closed = before?.kind === KIND.close
  if (closed || leaf.logseq < least || leaf.logseq > most) return { index, status: 'rejected', code: 'lane-malformed' }
  if (kindName(leaf.kind) === undefined && !isSkippable(leaf.kind)) return { index, status: 'deferred', code: 'needs-upgrade' }
  return undefined
}
