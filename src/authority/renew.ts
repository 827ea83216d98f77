/**
 * The next root entry of a domain: renew (same roots, another certificate) and rotate (the committed roots take over). Pure: what comes out is unsigned;
 * root-chain.ts judges it once the roots have signed. {@link entryFault} is all that can be judged before they do. Source: RULES M1, M5, M6, M7.
 */
import { principalId } from '../publication/evidence.js'
import type { Artifact } from '../substrate/artifact.js'
import { DiadError } from '../substrate/errors.js'
import { type Hash, NONE, type PublicKey, type Reference, referenceOfHash } from '../substrate/reference.js'
import { type AuthorityCertificate, certificateCodec } from './certificate.js'
import type { DomainKnowledge } from './knowledge.js'
import { type DomainPolicy, policyCodec, policyFault, policyHash } from './policy.js'
import { ancestry, certificateFault, type ChainEntry, type EntryKind, judgeRootEntry } from './root-chain.js'
import { rootCommitment, type RootEntry, rootEntryCodec, ZERO_32 } from './root-entry.js'
import { type OfflineRootSet, rootSetCodec } from './root-set.js'
import { Checklist, failed, type Verdict } from './verdict.js'

export { rootSetFrom } from './root-set.js'

/** What the new epoch says of manifests. */
export interface NewEpoch {
  /** the key that signs manifests from now on; default: the one of the epoch in force */
  readonly rootKey?: PublicKey
  /** default: the policy in force. Only the hash of one: it has to be held. */
  readonly policy?: DomainPolicy | Hash
  /** M7: the manifest from which the new epoch goes on; default: the newest in force */
  readonly base?: Reference
}

export interface Rotation extends NewEpoch {
  /** the set that was committed to, and what opens the commitment: 32 bytes as hex */
  readonly newSet: OfflineRootSet
  readonly salt: string
  /** M8: to the set after that one, see {@link rootCommitment} */
  readonly nextCommitment: Hash
}

export interface NewEntry {
  readonly kind: Exclude<EntryKind, 'genesis'>
  readonly entry: RootEntry
  readonly ref: Reference
  readonly certificate: AuthorityCertificate
  /** its threshold of keys has to sign `ref`, purpose `root-entry` */
  readonly rootSet: OfflineRootSet
  /** root set, policy, certificate and entry, without signatures */
  readonly artifacts: readonly Artifact[]
}

/**
 * M5: same root set, same commitment, another certificate. Throws DiadError `unknown-domain`, `root-forked`, `no-manifest`, `policy-missing`,
 * `policy-unsupported`, and whatever {@link entryFault} finds, under its code.
 */
export function renewEntry (k: DomainKnowledge, epoch: NewEpoch): NewEntry {
  const after = lastEntry(k)
  if (k.authority().rootChain.state === 'root-forked') throw new DiadError('root-forked', 'the root chain of this domain branches, and a renewal can\'t settle that', 'only a rotation can: `diad root rotate --root-key new --new-roots DIR`')
  const { root_set: setRef, next_commitment: commitment } = after.entry
  const set = k.objects.rootSets.get(setRef) as OfflineRootSet
  return entryAfter(k, after, 'renew', set, { root_set: setRef, salt: ZERO_32, next_commitment: commitment }, epoch)
}

/** M5: the committed set takes over and commits to a fresh one. Throws as {@link renewEntry}, but settles root forks. */
export function rotateEntry (k: DomainKnowledge, rotation: Rotation): NewEntry {
  const after = lastEntry(k)
  const { newSet, salt, nextCommitment } = rotation
  const setRef = rootSetCodec.reference(newSet)
  if (rootCommitment(salt, setRef) !== after.entry.next_commitment) {
    throw new DiadError('commitment-mismatch', 'these keys and this salt are not what the domain committed to', 'use the next-commitment.json that was written with the commitment in force')
  }
  return entryAfter(k, after, 'rotate', newSet, { root_set: setRef, salt, next_commitment: nextCommitment }, rotation)
}

function lastEntry (k: DomainKnowledge): ChainEntry {
  const last = k.authority().rootChain.entries.at(-1)
  if (last === undefined) throw new DiadError('unknown-domain', 'nothing of this domain\'s roots is held here', 'sync the domain first')
  return last
}

function entryAfter (k: DomainKnowledge, after: ChainEntry, kind: NewEntry['kind'], set: OfflineRootSet, fields: Pick<RootEntry, 'root_set' | 'salt' | 'next_commitment'>, epoch: NewEpoch): NewEntry {
  const before = k.authority().rootChain.judged.get(after.ref)?.certificate as AuthorityCertificate
  const rootKey = epoch.rootKey ?? before.subject_pubkey
  const policy = policyFor(k, epoch.policy ?? before.policy_hash)
  const base = epoch.base ?? defaultBase(k)
  const certificate: AuthorityCertificate = {
    subject_type: 'domain_root',
    subject_id: principalId(rootKey),
    subject_pubkey: rootKey,
    domain_id: k.domain,
    roles: [],
    policy_hash: policyHash(policy),
    issued_by: set.root_keys[0] as PublicKey,
    version: after.entry.epoch + 1
  }
  const entry: RootEntry = { domain_id: k.domain, epoch: after.entry.epoch + 1, previous: after.ref, ...fields, certificate: certificateCodec.reference(certificate), base }
  const artifacts = [rootSetCodec.artifact(set), policyCodec.artifact(policy), certificateCodec.artifact(certificate), rootEntryCodec.artifact(entry)]
  const made: NewEntry = { kind, entry, ref: rootEntryCodec.reference(entry), certificate, rootSet: set, artifacts }
  const fault = entryFault(k, made)
  if (fault !== undefined) throw new DiadError(fault.code, `the new root entry would be refused: ${fault.checks.at(-1)?.text ?? fault.code}`, HINTS.get(fault.code) ?? '')
  return made
}

const HINTS = new Map<string, string>([
  ['root-key-reused', 'root_key and principals need keys of their own'],
  ['commitment-reused', 'make a fresh next set'],
  ['base-invalid', 'name a manifest of the domain as base: see `diad root show`'],
  ['policy-unsupported', 'the eight safety switches of a policy stay on (M9)']
])

function policyFor (k: DomainKnowledge, given: DomainPolicy | Hash): DomainPolicy {
  const policy = typeof given === 'string' ? k.objects.policies.get(referenceOfHash(given)) : given
  if (policy === undefined) throw new DiadError('policy-missing', `the policy ${given as Hash} is not held here`, 'give the policy itself as a file')
  const fault = policyFault(policy)
  if (fault !== undefined) throw new DiadError(fault.code, fault.text, HINTS.get(fault.code) ?? '')
  return policy
}

/** Where a fork or a deferred base leaves nothing in force, somebody has to say from where to go on. */
function defaultBase (k: DomainKnowledge): Reference {
  const { tip } = k.authority()
  if (tip === undefined) throw new DiadError('no-manifest', 'no manifest of this domain is in force here', 'name the last good one with --base: see `diad root show`')
  return tip
}

/**
 * Everything about a new entry that doesn't depend on who signs it, so that nobody signs what all would refuse: M5 with its certificate, M7's base, M1's
 * keys, M9. undefined = it comes into force as soon as enough roots sign.
 */
export function entryFault (k: DomainKnowledge, { ref, entry, certificate, rootSet }: Pick<NewEntry, 'ref' | 'entry' | 'certificate' | 'rootSet'>): Verdict | undefined {
  const { rootChain } = k.authority()
  const { entries, judged } = rootChain
  const last = entries.at(-1)
  if (entry.epoch > 0 && entry.previous !== last?.ref) return failed('root-orphaned', `it follows epoch ${entry.epoch - 1}, and epoch ${entries.length - 1} is in force`)
  const { verdict } = judgeRootEntry(k.objects, k.domain, ref, entry, judged)
  // The set may not be held yet: it comes with the entry.
  if (verdict.status === 'rejected' || !['accepted', 'signature-missing', 'root-set-missing'].includes(verdict.code)) return verdict
  const checks = new Checklist()
  return certificateFault(k.objects, k.domain, entry, rootSet, certificate, checks) ?? baseFault(k, entry) ?? keyFault(k, entry, certificate, rootSet) ?? policyFaultOf(k, certificate)
}

function baseFault (k: DomainKnowledge, entry: RootEntry): Verdict | undefined {
  if (entry.epoch === 0) return undefined
  const { rootChain, judged } = k.authority()
  const base = judged.get(entry.base)
  if (base === undefined) return failed('base-missing', `its base ${entry.base} is not held`, [entry.base])
  if (base.verdict.status !== 'accepted') return failed('base-invalid', `its base ${entry.base} is no valid manifest: ${base.verdict.code}`)
  return ancestry(entry.previous, rootChain.judged).has(base.manifest.root_entry) ? undefined : failed('base-invalid', 'its base lies on another branch of the root chain')
}

/** M1: every manifest of the new epoch would be rejected. */
function keyFault (k: DomainKnowledge, entry: RootEntry, certificate: AuthorityCertificate, set: OfflineRootSet): Verdict | undefined {
  const { rootChain, judged } = k.authority()
  const roots = new Set([...rootChain.judged.get(entry.previous)?.rootKeys ?? [], ...set.root_keys])
  if (roots.has(certificate.subject_pubkey)) return failed('root-key-reused', 'its root_key is an offline root key')
  const base = entry.base === NONE ? undefined : judged.get(entry.base)?.manifest
  const principal = base?.principals.find((p) => set.root_keys.includes(p.public_key))
  return principal === undefined ? undefined : failed('root-key-reused', `the root set holds the key of principal ${principal.principal_id}`)
}

function policyFaultOf (k: DomainKnowledge, certificate: AuthorityCertificate): Verdict | undefined {
  const policy = k.objects.policies.get(referenceOfHash(certificate.policy_hash))
  const fault = policy === undefined ? undefined : policyFault(policy)
  return fault === undefined ? undefined : failed(fault.code, fault.text)
}
