/**
 * One manifest, judged by itself, its root entry and what it follows: M1, M3, M7's place, M9, and the order of its cuts (M4). That a cut of a closed
 * principal's lane ends it whatever its `ends` says (M4) can't be seen here, since the lane may not be held: who applies the cuts does it.
 */
import { type Hash, NONE, type Reference, referenceOfHash } from '../substrate/reference.js'
import { GrownSet } from '../substrate/grown-set.js'
import { type Cuts, NO_CUTS, walkCuts } from './cut-chain.js'
import type { HeldObjects } from './held-objects.js'
import { type DomainAuthorityManifest, type Principal, type Scope, scopeCovers } from './manifest.js'
import { policyFault } from './policy.js'
import { final, Finals, isAncestor, type JudgedEntry, notHeld } from './root-chain.js'
import { Checklist, type Verdict } from './verdict.js'

/** `accepted` here means valid (M1), not yet on the accepted chain. */
export interface JudgedManifest {
  readonly ref: Reference
  readonly manifest: DomainAuthorityManifest
  readonly verdict: Verdict
  /** by lane, ascending; complete once the manifest is valid */
  readonly cuts: Cuts
  /** every principal that a manifest from the first to this one lists */
  readonly seen: GrownSet<Hash>
}

const NONE_SEEN = GrownSet.empty<Hash>()

/** The root entries and the manifests judged so far. */
export interface ManifestContext {
  readonly objects: HeldObjects
  readonly domain: Reference
  readonly entries: ReadonlyMap<Reference, JudgedEntry>
  readonly judged: ReadonlyMap<Reference, JudgedManifest>
}

/** As with root entries the checks stand in a fixed order and the first that fails decides, so a `rejected` and its code never change. */
export function judgeManifest (context: ManifestContext, ref: Reference, manifest: DomainAuthorityManifest): JudgedManifest {
  const { objects, entries, judged } = context
  const entry = entries.get(manifest.root_entry)
  const previous = judged.get(manifest.previous)
  const checks = new Checklist()
  const early = signerFault(objects, ref, manifest, entry, checks)
  const fault = early ??
    placeFault(context, manifest, entry as JudgedEntry, previous, checks) ??
    rightsFault(manifest, previous, checks) ??
    cutsFault(objects, manifest, checks) ??
    policyOfFault(objects, manifest, checks)
  if (fault === undefined) {
    const seen = (previous?.seen ?? NONE_SEEN).with(manifest.principals.map((p) => p.principal_id))
    return { ref, manifest, verdict: checks.accept(), cuts: walkCuts(objects, manifest.cuts).cuts, seen }
  }
  // Under a good signature everything it names is worth asking for at once; before that only what shows whether it is signed.
  const missing = early === undefined && fault.status === 'deferred' ? unheld(objects, manifest, fault.missing) : fault.missing
  return { ref, manifest, verdict: { ...fault, missing }, cuts: NO_CUTS, seen: NONE_SEEN }
}

/** M1: who signed, and under which certificate. */
function signerFault (objects: HeldObjects, ref: Reference, m: DomainAuthorityManifest, entry: JudgedEntry | undefined, checks: Checklist): Verdict | undefined {
  if (entry === undefined) return notHeld(objects, 'root-entry-missing', 'its root entry', m.root_entry, checks)
  if (entry.verdict.status === 'rejected') return checks.fail('root-entry-rejected', `its root entry is rejected: ${entry.verdict.code}`)
  const { certificate } = entry
  if (certificate === undefined) return checks.fail('root-entry-deferred', `its root entry is deferred: ${entry.verdict.code}`)
  if (m.root_key !== certificate.subject_pubkey) return checks.fail('root-key-mismatch', 'its root_key is not the certified one')
  if (m.policy_hash !== certificate.policy_hash) return checks.fail('policy-mismatch', 'its policy_hash is not the certificate\'s')
  checks.pass('M1', `key and policy are those certified for epoch ${entry.entry.epoch}`)
  if (objects.signature(ref, 'manifest', m.root_key) === undefined) return checks.fail('signature-missing', 'no valid signature of its root_key is held')
  checks.pass('T1', 'signed by its root_key')
  if (entry.rootKeys.has(m.root_key)) return checks.fail('root-key-reused', 'its root_key is an offline root key')
  const reused = m.principals.find((p) => entry.rootKeys.has(p.public_key))
  if (reused !== undefined) return checks.fail('root-key-reused', `the principal ${reused.principal_id} is an offline root key`)
  checks.pass('M1', 'no offline root key is root_key or principal')
  return undefined
}

/** M1, M7: what it follows. A base may be any valid manifest of an earlier epoch on the way to its root entry. */
function placeFault (context: ManifestContext, m: DomainAuthorityManifest, entry: JudgedEntry, previous: JudgedManifest | undefined, checks: Checklist): Verdict | undefined {
  const { objects, domain, entries } = context
  if (m.previous === NONE) {
    if (entry.entry.epoch !== 0) return checks.fail('previous-out-of-place', `the first manifest of epoch ${entry.entry.epoch} follows that epoch's base`)
    checks.pass('M1', 'it is a first manifest')
    return undefined
  }
  const held = objects.manifests.get(m.previous)
  if (held === undefined) return notHeld(objects, 'manifest-missing', 'the previous manifest', m.previous, checks)
  if (held.domain_id !== domain) return checks.fail('wrong-domain', 'it follows a manifest of another domain')
  if (m.version !== held.version + 1) return checks.fail('version-gap', `version ${m.version} follows version ${held.version}`)
  if (held.root_entry !== m.root_entry) {
    const based = m.previous === entry.entry.base && isAncestor(held.root_entry, entry.entry.previous, entries)
    if (!based) return checks.fail('previous-out-of-place', 'the previous manifest is neither of the same epoch nor its base')
  }
  // One version lower, so it was judged before this one.
  const { status, code } = (previous as JudgedManifest).verdict
  if (status === 'rejected') return checks.fail('previous-rejected', `the previous manifest is rejected: ${code}`)
  if (status !== 'accepted') return checks.fail('previous-deferred', `the previous manifest is deferred: ${code}`)
  checks.pass('M1', `version ${m.version} follows a valid manifest`)
  return undefined
}

/** M1: nobody returns. M3: whoever loses something is closed. */
function rightsFault (m: DomainAuthorityManifest, previous: JudgedManifest | undefined, checks: Checklist): Verdict | undefined {
  if (previous === undefined) return undefined
  const before = previous.manifest
  const index = new Map(m.principals.map((p, i) => [p.principal_id, i]))
  const listed = new Set(before.principals.map((p) => p.principal_id))
  const back = m.principals.find((p) => !listed.has(p.principal_id) && previous.seen.has(p.principal_id))
  if (back !== undefined) return checks.fail('principal-returns', `the principal ${back.principal_id} was dropped before`)
  checks.pass('M1', 'no principal that was dropped is back')
  const closed = new Set(m.closed)
  for (let i = 0; i < before.principals.length; i++) {
    const old = before.principals[i] as Principal
    if (closed.has(old.principal_id)) continue
    const loss = reduction(old, before.scope[i] as Scope, m, index.get(old.principal_id))
    if (loss !== undefined) return checks.fail('reduction-without-cut', `the principal ${old.principal_id} ${loss} and is not closed`)
  }
  checks.pass('M3', 'every principal that loses something is closed')
  return undefined
}

/** M3: what a principal loses by `m`, where it stands at index `at`, if anywhere; undefined when nothing. */
export function reduction (old: Principal, oldScope: Scope, m: Pick<DomainAuthorityManifest, 'principals' | 'scope'>, at: number | undefined): string | undefined {
  if (at === undefined) return 'is dropped'
  const now = m.principals[at] as Principal
  if (!old.roles.every((role) => now.roles.includes(role))) return 'loses a role'
  return scopeCovers(m.scope[at] as Scope, oldScope) ? undefined : 'gets a scope that doesn\'t cover its old one'
}

/** M4: the whole chain of cut lists, ascending by lane over all of it; within a list the codec has seen to that. */
function cutsFault (objects: HeldObjects, m: DomainAuthorityManifest, checks: Checklist): Verdict | undefined {
  const { fault, cuts } = walkCuts(objects, m.cuts)
  if (fault === undefined) {
    checks.pass('M4', cuts.size === 1 ? 'it cuts 1 lane' : `it cuts ${cuts.size} lanes`)
    return undefined
  }
  if (fault.after === undefined) return notHeld(objects, 'cut-list-missing', 'a cut list', fault.at, checks)
  return checks.fail('cuts-unsorted', `the cut list ${fault.at} doesn't go on after the lane ${fault.after}`)
}

function policyOfFault (objects: HeldObjects, m: DomainAuthorityManifest, checks: Checklist): Verdict | undefined {
  const ref = referenceOfHash(m.policy_hash)
  const policy = objects.policies.get(ref)
  if (policy === undefined) return notHeld(objects, 'policy-missing', 'its policy', ref, checks)
  const fault = policyFault(policy)
  if (fault !== undefined) return checks.fail(fault.code, fault.text)
  checks.pass('M9', 'its policy leaves every safety rule on')
  return undefined
}

function unheld (objects: HeldObjects, m: DomainAuthorityManifest, first: readonly Reference[]): Reference[] {
  const out = new Set(first)
  for (const ref of [m.previous, referenceOfHash(m.policy_hash)]) if (ref !== NONE && !objects.has(ref)) out.add(ref)
  const { end } = walkCuts(objects, m.cuts)
  if (end !== NONE && !objects.has(end)) out.add(end)
  return [...out]
}

const finals = new Finals<JudgedManifest>()

/** Every held manifest of the domain, by version, then reference. A previous manifest has a lower version, so one pass in that order is enough. */
export function judgeManifests (objects: HeldObjects, domain: Reference, entries: ReadonlyMap<Reference, JudgedEntry>): ReadonlyMap<Reference, JudgedManifest> {
  const done = finals.of(objects, domain)
  const order = [...objects.manifests]
    .filter(([, m]) => m.domain_id === domain)
    .sort(([a, x], [b, y]) => x.version - y.version || (a < b ? -1 : 1))
  const judged = new Map<Reference, JudgedManifest>()
  for (const [ref, manifest] of order) {
    let j = done.get(ref)
    if (j === undefined) {
      j = judgeManifest({ objects, domain, entries, judged }, ref, manifest)
      if (final(j.verdict)) done.set(ref, j)
    }
    judged.set(ref, j)
  }
  return judged
}
