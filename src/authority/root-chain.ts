/**
 * The root chain: which root entries of a domain are valid, and which branch of them is in force. Rests on held bytes alone; bases and manifests play
 * no part in it (see manifest-chain.ts). Source: RULES T1, M5, M6; THREATS 8, 13.
 */
import { GrownSet } from '../substrate/grown-set.js'
import { type Hash, NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import type { AuthorityCertificate } from './certificate.js'
import type { AuthorityPurpose, HeldObjects } from './held-objects.js'
import { rootCommitment, type RootEntry, ZERO_32 } from './root-entry.js'
import type { OfflineRootSet } from './root-set.js'
import { Checklist, failed, type Verdict, type VerdictCode } from './verdict.js'

export type EntryKind = 'genesis' | 'renew' | 'rotate'

/** A root entry judged by itself and its ancestors; `accepted` here means valid, not yet in force. */
export interface JudgedEntry {
  readonly ref: Reference
  readonly entry: RootEntry
  readonly kind: EntryKind
  readonly verdict: Verdict
  /** the next three are held once the entry is valid */
  readonly certificate: AuthorityCertificate | undefined
  readonly rootSet: OfflineRootSet | undefined
  /** keys of every root set from the genesis to here (M1: none may be root_key or principal) */
  readonly rootKeys: GrownSet<PublicKey>
  /** every commitment from the genesis to here */
  readonly commitments: GrownSet<Hash>
}

export interface ChainEntry {
  readonly ref: Reference
  readonly entry: RootEntry
  readonly kind: EntryKind
}

export interface RootChain {
  /** from the genesis to the entry in force; empty when the genesis can't be judged or is bad */
  readonly entries: readonly ChainEntry[]
  readonly state: 'ok' | 'root-forked' | 'deferred'
  /** what the domain's root entries still need, in a fixed order */
  readonly missing: readonly Reference[]
  /** entries that are in place and lack signatures: which ones can't be named by reference */
  readonly unsigned: readonly Reference[]
  /** the children among which M6 can't choose, ascending */
  readonly forkChildren: readonly Reference[]
  /** whether a local pin made a choice that the rule could not make */
  readonly pinned: boolean
  /** every held entry of the domain, by epoch, then reference */
  readonly judged: ReadonlyMap<Reference, JudgedEntry>
}

const NO_KEYS = GrownSet.empty<PublicKey>()
const NO_COMMITMENTS = GrownSet.empty<Hash>()

const valid = (j: JudgedEntry | undefined): boolean => j?.verdict.status === 'accepted'
export const final = (v: Verdict): boolean => v.status === 'accepted' || v.status === 'rejected'

/** T1: how many distinct keys of `set` signed; a signature of another key or a second one of the same key counts nothing. */
function signers (objects: HeldObjects, ref: Reference, purpose: AuthorityPurpose, set: OfflineRootSet): number {
  return set.root_keys.filter((key) => objects.signature(ref, purpose, key) !== undefined).length
}

function kindOf (entry: RootEntry, previous: RootEntry | undefined): EntryKind {
  if (previous === undefined) return entry.epoch === 0 ? 'genesis' : 'rotate'
  return entry.root_set === previous.root_set ? 'renew' : 'rotate'
}

/**
 * M5: one entry, given the judgement of the one before it. The checks stand in a fixed order and the first that fails decides, so that a `rejected`
 * and its code never change when more becomes known. Nothing that a stranger can make up is ever asked for: a rotate shows by salt and reference that
 * it opens the commitment before its set is missed, and certificates are missed only under enough signatures.
 */
export function judgeRootEntry (objects: HeldObjects, domain: Reference, ref: Reference, entry: RootEntry, judged: ReadonlyMap<Reference, JudgedEntry>): JudgedEntry {
  const previous = judged.get(entry.previous)
  const kind = kindOf(entry, previous?.entry)
  const set = objects.rootSets.get(entry.root_set)
  const certificate = objects.certificates.get(entry.certificate)
  const checks = new Checklist()
  const verdict = placeFault(objects, domain, ref, entry, previous, kind, checks) ??
    signatureFault(objects, ref, entry, set, checks) ??
    certificateFault(objects, domain, entry, set as OfflineRootSet, certificate, checks) ??
    checks.accept()
  const ok = verdict.status === 'accepted' && set !== undefined
  const before = previous?.rootKeys ?? NO_KEYS
  const commitments = previous?.commitments ?? NO_COMMITMENTS
  return {
    ref,
    entry,
    kind,
    verdict,
    certificate: ok ? certificate : undefined,
    rootSet: ok ? set : undefined,
    // A renew adds nothing: its set and its commitment are those before it.
    rootKeys: ok ? before.with(set.root_keys) : before,
    commitments: ok ? commitments.with([entry.next_commitment]) : commitments
  }
}

function placeFault (objects: HeldObjects, domain: Reference, ref: Reference, entry: RootEntry, previous: JudgedEntry | undefined, kind: EntryKind, checks: Checklist): Verdict | undefined {
  if (entry.epoch === 0) {
    if (ref !== domain) return checks.fail('wrong-domain', 'a genesis is the start of its own domain only')
    checks.pass('M5', 'it is the genesis: its reference is the DomainID')
    return undefined
  }
  if (entry.domain_id !== domain) return checks.fail('wrong-domain', `it belongs to the domain ${entry.domain_id}`)
  const held = objects.rootEntries.get(entry.previous)
  if (held !== undefined && entry.epoch !== held.epoch + 1) return checks.fail('epoch-gap', `epoch ${entry.epoch} follows epoch ${held.epoch}`)
  if (previous === undefined) return notHeld(objects, 'root-entry-missing', 'the previous root entry', entry.previous, checks)
  if (previous.verdict.status === 'rejected') return checks.fail('previous-rejected', `the previous root entry is rejected: ${previous.verdict.code}`)
  if (previous.verdict.status !== 'accepted') return checks.fail('previous-deferred', `the previous root entry is deferred: ${previous.verdict.code}`)
  checks.pass('M5', `epoch ${entry.epoch} follows a valid entry`)
  if (kind === 'renew') {
    if (entry.next_commitment !== previous.entry.next_commitment) return checks.fail('renew-changed', 'a renew keeps the commitment')
    if (entry.salt !== ZERO_32) return checks.fail('renew-changed', 'the salt of a renew is zero')
    checks.pass('M5', 'a renew: same root set, same commitment')
    return undefined
  }
  if (rootCommitment(entry.salt, entry.root_set) !== previous.entry.next_commitment) return checks.fail('commitment-mismatch', 'salt and root set don\'t open the commitment in force')
  if (previous.commitments.has(entry.next_commitment)) return checks.fail('commitment-reused', 'it commits to what this chain has committed to before')
  checks.pass('M5', 'a rotate: the new root set opens the commitment and carries a fresh one')
  return undefined
}

function signatureFault (objects: HeldObjects, ref: Reference, entry: RootEntry, set: OfflineRootSet | undefined, checks: Checklist): Verdict | undefined {
  if (set === undefined) return notHeld(objects, 'root-set-missing', 'the root set', entry.root_set, checks)
  return thresholdFault(objects, ref, 'root-entry', set, checks)
}

/** T1: whether enough distinct keys of `set` signed `ref` for this purpose. */
export function thresholdFault (objects: HeldObjects, ref: Reference, purpose: AuthorityPurpose, set: OfflineRootSet, checks: Checklist): Verdict | undefined {
  const count = signers(objects, ref, purpose, set)
  if (count < set.threshold) return checks.fail('signature-missing', `${count} of ${set.threshold} needed root signatures are held`)
  // Not how many there are: more may arrive later, and a verdict that is final must not change.
  checks.pass('T1', `signed by ${set.threshold} of ${set.root_keys.length} root keys`)
  return undefined
}

/** M5: whether the certificate is the one that `entry` under `set` needs. Says nothing of signatures. */
export function certificateFault (objects: HeldObjects, domain: Reference, entry: RootEntry, set: OfflineRootSet, c: AuthorityCertificate | undefined, checks: Checklist): Verdict | undefined {
  if (c === undefined) return notHeld(objects, 'certificate-missing', 'the certificate', entry.certificate, checks)
  const bad = (text: string): Verdict => checks.fail('certificate-mismatch', text)
  if (c.subject_type !== 'domain_root') return bad('the certificate is a principal\'s')
  if (c.domain_id !== (entry.epoch === 0 ? NONE : domain)) return bad(entry.epoch === 0 ? 'the certificate of a genesis names no domain' : 'the certificate names another domain')
  if (c.version !== entry.epoch) return bad(`the certificate's version is ${c.version}, the epoch ${entry.epoch}`)
  if (c.issued_by !== set.root_keys[0]) return bad('the certificate is not issued by the first root key')
  checks.pass('M5', 'its certificate names the key that signs manifests in this epoch')
  return undefined
}

/** Not held, or held as something else: the second is final, since a reference names its bytes. */
export function notHeld (objects: HeldObjects, code: VerdictCode, what: string, ref: Reference, checks: Checklist): Verdict {
  if (objects.has(ref)) return checks.fail('wrong-type', `${what} ${ref} is an object of another type or domain`)
  return checks.fail(code, `${what} ${ref} is not held`, [ref])
}

/** Final judgements outlive a revision, since neither they nor what they rest on can change; unless something was let go, on which any of them may rest. */
export class Finals<T> {
  private readonly byObjects = new WeakMap<HeldObjects, { drops: number, byDomain: Map<Reference, Map<Reference, T>> }>()

  of (objects: HeldObjects, domain: Reference): Map<Reference, T> {
    let ofObjects = this.byObjects.get(objects)
    if (ofObjects?.drops !== objects.drops) this.byObjects.set(objects, ofObjects = { drops: objects.drops, byDomain: new Map() })
    const found = ofObjects.byDomain.get(domain) ?? new Map<Reference, T>()
    ofObjects.byDomain.set(domain, found)
    return found
  }
}

const finals = new Finals<JudgedEntry>()

function judgeAll (objects: HeldObjects, domain: Reference): Map<Reference, JudgedEntry> {
  const done = finals.of(objects, domain)
  const order = [...objects.rootEntries]
    .filter(([ref, e]) => ref === domain || e.domain_id === domain)
    .sort(([a, x], [b, y]) => x.epoch - y.epoch || (a < b ? -1 : 1))
  const judged = new Map<Reference, JudgedEntry>()
  for (const [ref, entry] of order) {
    let j = done.get(ref)
    if (j === undefined) {
      j = judgeRootEntry(objects, domain, ref, entry, judged)
      if (final(j.verdict)) done.set(ref, j)
    }
    judged.set(ref, j)
  }
  return judged
}

/** Valid entries by the entry that they follow; each list ascends by reference. */
function childrenOf (judged: ReadonlyMap<Reference, JudgedEntry>): Map<Reference, JudgedEntry[]> {
  const out = new Map<Reference, JudgedEntry[]>()
  for (const j of judged.values()) {
    if (!valid(j) || j.kind === 'genesis') continue
    const siblings = out.get(j.entry.previous)
    if (siblings === undefined) out.set(j.entry.previous, [j])
    else siblings.push(j)
  }
  return out
}

/**
 * M6: the entries whose branch holds a rotate that opens the commitment in force before them. A renew keeps the commitment, so the first rotate below
 * a row of renews opens it; what comes after that rotate plays no part.
 */
function settlingEntries (judged: ReadonlyMap<Reference, JudgedEntry>): Set<Reference> {
  const out = new Set<Reference>()
  for (const j of [...judged.values()].reverse()) {
    if (!valid(j)) continue
    if (j.kind === 'rotate') out.add(j.ref)
    if (out.has(j.ref) && judged.get(j.entry.previous)?.kind === 'renew') out.add(j.entry.previous)
  }
  return out
}

/** M5, M6: the chain in force. `pin` names an entry of the branch to take where the rule can't choose (`--root-branch`); it never overrides the rule. */
export function resolveRootChain (objects: HeldObjects, domain: Reference, pin?: Reference): RootChain {
  const judged = judgeAll(objects, domain)
  const deferred = [...judged.values()].filter((j) => j.verdict.status === 'deferred')
  const missing = [...new Set(objects.rootEntries.has(domain) ? deferred.flatMap((j) => j.verdict.missing) : [domain])]
  const unsigned = deferred.filter((j) => j.verdict.code === 'signature-missing').map((j) => j.ref)
  const genesis = judged.get(domain)
  if (genesis === undefined || !valid(genesis)) return { entries: [], state: 'deferred', missing, unsigned, forkChildren: [], pinned: false, judged }
  const children = childrenOf(judged)
  const settling = settlingEntries(judged)
  const line = pin === undefined ? undefined : ancestry(pin, judged)
  const entries: ChainEntry[] = []
  let pinned = false
  let at: JudgedEntry | undefined = genesis
  while (at !== undefined) {
    entries.push({ ref: at.ref, entry: at.entry, kind: at.kind })
    const next: JudgedEntry[] = children.get(at.ref) ?? []
    if (next.length < 2) {
      at = next[0]
      continue
    }
    const winners = next.filter((j) => settling.has(j.ref))
    if (winners.length === 1) {
      at = winners[0]
      continue
    }
    at = next.find((j) => line?.has(j.ref))
    if (at === undefined) return { entries, state: 'root-forked', missing, unsigned, forkChildren: next.map((j) => j.ref), pinned, judged }
    pinned = true
  }
  return { entries, state: 'ok', missing, unsigned, forkChildren: [], pinned, judged }
}

/** The entry and its held ancestors. */
export function ancestry (ref: Reference, judged: ReadonlyMap<Reference, JudgedEntry>): Set<Reference> {
  const out = new Set<Reference>()
  for (let j = judged.get(ref); j !== undefined; j = judged.get(j.entry.previous)) out.add(j.ref)
  return out
}

/** Whether `entry`, which is valid, is or comes after `ancestor`: on its way epochs fall one by one. */
export function isAncestor (ancestor: Reference, entry: Reference, judged: ReadonlyMap<Reference, JudgedEntry>): boolean {
  const epoch = judged.get(ancestor)?.entry.epoch ?? Infinity
  let j = judged.get(entry)
  while (j !== undefined && j.entry.epoch > epoch) j = judged.get(j.entry.previous)
  return j?.ref === ancestor
}

/** Verdict of a held root entry under the chain in force. */
export function verdictOfEntry (chain: RootChain, ref: Reference): Verdict {
  const j = chain.judged.get(ref)
  if (j === undefined) return failed('unreferenced', 'it is no root entry of this domain')
  if (!valid(j) || chain.entries[j.entry.epoch]?.ref === ref) return j.verdict
  const line = ancestry(ref, chain.judged)
  if (chain.forkChildren.some((child) => line.has(child))) return failed('root-forked', `the root chain branches after epoch ${chain.entries.length - 1}`)
  return failed('root-orphaned', 'another branch of the root chain is in force')
}
