/**
 * Admission of other domains: what a request is worth, which decision is in force, and what of a domain enters our view. Pure functions of what is held;
 * the order in which decisions were made or came in can't matter. Source: RULES D1-D5.
 */
import { INTERNAL } from '../publication/lane.js'
import type { Artifact } from '../substrate/artifact.js'
import { compareUtf8 } from '../substrate/bytes.js'
import { MalformedError } from '../substrate/errors.js'
import { digestOf, type Hash, NONE, type Reference } from '../substrate/reference.js'
import { type Signature, signatureHolds } from '../substrate/signature.js'
import { type AdmissionRecord, admissionRecordCodec, type AdmissionRequest, admissionRequestCodec, admits, commonScope, type Decision, DECISIONS, scopeHolds } from './admission-objects.js'
import type { CurrentEntry, DomainView } from './domain-view.js'
import type { DomainKnowledge } from './knowledge.js'
import { Checklist, type Verdict } from './verdict.js'

/** What the receiver knows of itself. */
export interface Receiving {
  readonly receiver: Reference
  /** the nonces that were handed out, and the request that each was used for, if any */
  readonly nonces: ReadonlyMap<string, Reference | undefined>
}

/**
 * D1: whether the request may be decided on. `applicant` = what is held of the domain that asks; the request itself brings it along. What is `rejected`
 * stays so: it rests on the bytes of the request and on what we handed out. `signature` = `judged` for a request that a record of ours names: it was
 * checked then, over bytes that can't change; all else may have changed since.
 */
export function judgeRequest (request: AdmissionRequest, signature: Signature | 'judged' | undefined, applicant: DomainKnowledge, { receiver, nonces }: Receiving): Verdict {
  const list = new Checklist()
  const target = admissionRequestCodec.reference(request)
  if (request.receiver !== receiver) return list.fail('request-invalid', `it is meant for the domain ${request.receiver}`)
  list.pass('D1', 'it is meant for this domain')
  if (request.applicant === receiver) return list.fail('request-invalid', 'a domain needs no admission to its own view')
  if (!nonces.has(request.nonce)) return list.fail('request-invalid', 'its nonce is none that this home handed out')
  const used = nonces.get(request.nonce)
  if (used !== undefined && used !== target) return list.fail('request-invalid', 'its nonce was used for another request')
  list.pass('D1', 'its nonce was handed out here, and for nothing else')
  if (signature === undefined) return list.fail('signature-missing', 'nobody signed it', [target])
  if (signature !== 'judged' && (signature.target !== target || signature.purpose !== 'admission-request' || !signatureHolds(signature))) return list.fail('bad-signature', 'its signature is not one over this request and for this purpose')
  const authority = applicant.authority()
  const { rootChain } = authority
  if (applicant.domain !== request.applicant || authority.tip === undefined) return list.fail('unknown-domain', 'nothing of the domain that asks can be judged', [request.applicant])
  const entry = rootChain.entries.at(-1)
  if (authority.state !== 'ok' || entry === undefined) return list.fail(authority.reason, `the authority of the domain that asks: ${authority.stateText}`, authority.missing)
  list.pass('M7', `the domain that asks: ${authority.stateText}`)
  const held = authority.judged.get(request.manifest)
  if (held === undefined) return list.fail('manifest-missing', 'the manifest that it names is not held', [request.manifest])
  if (held.manifest.root_entry !== request.root_entry) return list.fail('request-invalid', 'the manifest that it names stands under another root entry')
  if (signature !== 'judged' && signature.public_key !== held.manifest.root_key) return list.fail('request-invalid', 'it is not signed by the root_key of the manifest that it names')
  list.pass('D1', 'signed by the root_key of the manifest that it names')
  // A key that an epoch ended proves nothing: whoever stole it could still ask.
  if (request.root_entry !== entry.ref) return list.fail('root-orphaned', 'it was signed under a root entry that isn\'t the newest')
  const standing = authority.verdictOf(request.manifest)
  if (standing.status !== 'accepted') return list.fail(standing.code, 'the manifest that it names is not on the accepted chain', standing.missing)
  list.pass('M7', `manifest ${held.manifest.version} is on the accepted chain${request.manifest === authority.tip ? ', and the newest' : ''}`)
  return list.accept()
}

/** D3: the records that our valid `admit` leaves in internal lanes name, ascending. Their artifacts are content: whoever asks brings them. */
export function admitRefs (own: DomainKnowledge): Reference[] {
  const out = new Set<Reference>()
  for (const v of own.viewAll().lanes.values()) {
    if (v.knowledge.lane.visibility !== INTERNAL) continue
    // Of a leaf that its key may not write, or that was erased, there is no body (leaf-rules.ts): what has one counts.
    for (const { body } of v.judged) if (body?.kind === 'admit') out.add(body.ref)
  }
  return [...out].sort()
}

/** What a domain decided on others. */
export interface Admissions {
  readonly records: ReadonlyMap<Reference, AdmissionRecord>
  readonly byDomain: ReadonlyMap<Reference, Admitted>
  /** Records that aren't held. One of them may be a withdrawal, so nothing counts as admitted until they are. */
  readonly missing: readonly Reference[]
}

/** D4: `held` gives what is here of that which {@link admitRefs} names. What is no record decides nothing. */
export function admissionsOf (own: DomainKnowledge, held: (ref: Reference) => Artifact | undefined): Admissions {
  const records = new Map<Reference, AdmissionRecord>()
  const missing: Reference[] = []
  for (const ref of admitRefs(own)) {
    const artifact = held(ref)
    if (artifact === undefined) missing.push(ref)
    else {
      try {
        records.set(ref, admissionRecordCodec.from(artifact))
      } catch (err) {
        if (!(err instanceof MalformedError)) throw err
      }
    }
  }
  return { records, byDomain: missing.length > 0 ? new Map() : effectiveAdmissions(records), missing }
}

/** D2: whether a held record has finally decided this very request. A local guard, not a rule of judging. */
export function finallyDecided ({ records }: Pick<Admissions, 'records'>, request: Reference): boolean {
  return [...records.values()].some((r) => r.request === request && r.decision !== 'DEFERRED')
}

/** The record that decides next: the greatest `decision_epoch`, and in the place of all that is in force for the domain (D2, D4). */
export function nextRecord ({ records, byDomain }: Admissions, decided: Pick<AdmissionRecord, 'domain_id' | 'dam_hash' | 'policy_hash' | 'request' | 'decision' | 'admitted_scope'>): AdmissionRecord {
  return {
    ...decided,
    decision_epoch: 1 + Math.max(0, ...[...records.values()].map((r) => r.decision_epoch)),
    previous: [...byDomain.get(decided.domain_id)?.heads ?? []]
  }
}

/** What is in force for one domain. */
export interface Admitted {
  readonly domain: Reference
  readonly decision: Decision
  /** names that enter our view; empty unless something is accepted */
  readonly scope: readonly string[]
  /** policies under which lanes count: none where two decisions apart were made under different ones */
  readonly policies: readonly Hash[]
  /** records that no other replaces, ascending: what the next decision lists in `previous` */
  readonly heads: readonly Reference[]
}

/**
 * D4: per domain the most restrictive among the records that no other valid record of it lists in `previous`; scopes and policies intersect. `records` =
 * those that {@link admitRefs} names.
 */
export function effectiveAdmissions (records: ReadonlyMap<Reference, AdmissionRecord>): Map<Reference, Admitted> {
  const byDomain = new Map<Reference, Reference[]>()
  const replaced = new Set<Reference>()
  for (const [ref, record] of records) {
    const of = byDomain.get(record.domain_id)
    if (of === undefined) byDomain.set(record.domain_id, [ref])
    else of.push(ref)
    for (const before of record.previous) if (records.get(before)?.domain_id === record.domain_id) replaced.add(before)
  }
  const out = new Map<Reference, Admitted>()
  for (const domain of [...byDomain.keys()].sort()) {
    const heads = (byDomain.get(domain) as Reference[]).filter((r) => !replaced.has(r)).sort()
    const standing = heads.map((r) => records.get(r) as AdmissionRecord)
    const decision = DECISIONS[Math.min(...standing.map((r) => DECISIONS.indexOf(r.decision)))] as Decision
    const [first, ...others] = standing
    if (first === undefined || !admits(decision)) {
      out.set(domain, { domain, decision, scope: [], policies: [], heads })
      continue
    }
    const scope = others.reduce((s, r) => commonScope(s, r.admitted_scope), first.admitted_scope)
    const policies = others.every((r) => r.policy_hash === first.policy_hash) ? [first.policy_hash] : []
    out.set(domain, { domain, decision, scope, policies, heads })
  }
  return out
}

export interface Widened { readonly domain: Reference, readonly before: Decision, readonly after: Decision }

/** D4: the domains of which more may enter the view when the records `gone` don't count any more, since what those had replaced is in force again. */
export function widenedWithout ({ records, byDomain }: Admissions, gone: ReadonlySet<Reference>): Widened[] {
  const out: Widened[] = []
  for (const [domain, after] of effectiveAdmissions(new Map([...records].filter(([ref]) => !gone.has(ref))))) {
    const before = byDomain.get(domain)
    if (before === undefined || !admits(after.decision)) continue
    if (!admits(before.decision) || after.scope.some((p) => !scopeHolds(before.scope, p))) out.push({ domain, before: before.decision, after: after.decision })
  }
  return out
}

export type RefusalCode = 'admission-missing' | 'admission-stale' | 'not-admitted'

/** What of a domain enters our view, and why the rest doesn't. */
export interface Limited {
  /** of the domain as a whole; undefined where something of it may enter */
  readonly code: RefusalCode | undefined
  readonly entries: readonly CurrentEntry[]
  readonly refused: ReadonlyArray<{ readonly name: string, readonly code: RefusalCode }>
}

/**
 * D5. A name counts by its winner alone: where that stands under another policy the name waits, and no older record takes its place, for nothing may
 * silently go back.
 */
export function limitView (view: DomainView, admitted: Admitted | undefined): Limited {
  const names = [...view.current.values()].filter((e) => e.ref !== NONE)
  const whole = admitted === undefined || admitted.decision === 'DEFERRED' ? 'admission-missing' : admitted.decision === 'REJECTED' ? 'not-admitted' : undefined
  if (admitted === undefined || whole !== undefined) return { code: whole, entries: [], refused: names.map(({ name }) => ({ name, code: whole as RefusalCode })) }
  const entries: CurrentEntry[] = []
  const refused: Array<{ name: string, code: RefusalCode }> = []
  for (const entry of names) {
    const code = codeOf(entry, view, admitted)
    if (code === undefined) entries.push(entry)
    else refused.push({ name: entry.name, code })
  }
  return { code: undefined, entries, refused }
}

function codeOf (entry: CurrentEntry, view: DomainView, { scope, policies }: Admitted): RefusalCode | undefined {
  if (!scopeHolds(scope, entry.name)) return 'not-admitted'
  const manifest = view.lanes.get(entry.lane)?.knowledge.lane.manifest
  const at = manifest === undefined ? undefined : view.authority.position.get(manifest)
  const policy = at === undefined ? undefined : view.authority.onChain[at]?.manifest.policy_hash
  return policy !== undefined && policies.includes(policy) ? undefined : 'admission-stale'
}

export interface FederatedEntry {
  readonly domain: Reference
  readonly entry: CurrentEntry
}

/** R4: names by (DomainID, name), our own and what we admitted; listed by DomainID, logseq, identity. */
export function federationView (parts: ReadonlyArray<{ readonly domain: Reference, readonly entries: readonly CurrentEntry[] }>): FederatedEntry[] {
  const out = parts.flatMap(({ domain, entries }) => entries.filter((e) => e.ref !== NONE).map((entry) => ({ domain, entry })))
  return out.sort((a, b) => compareUtf8(a.domain, b.domain) || a.entry.logseq - b.entry.logseq || compareUtf8(a.entry.ref, b.entry.ref) || compareUtf8(a.entry.leafHash, b.entry.leafHash))
}

/** What an applicant's manifest is recorded by. */
export function recordedManifest (manifest: Reference, applicant: DomainKnowledge): { readonly dam_hash: Hash, readonly policy_hash: Hash } | undefined {
  const held = applicant.authority().judged.get(manifest)
  return held === undefined ? undefined : { dam_hash: digestOf(manifest), policy_hash: held.manifest.policy_hash }
}
