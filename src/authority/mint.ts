/**
 * The first objects of a domain: root set and committed next one (M8), certificate, policy, genesis entry, manifest 1. Pure but for the signers and
 * the salt that it is given; every object is judged by the code that strangers will use before anybody hears of it.
 */
import { principalId } from '../publication/evidence.js'
import type { Artifact } from '../substrate/artifact.js'
import { type Hash, NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { signArtifact, type Signer } from '../substrate/signature.js'
import { certificateCodec } from './certificate.js'
import { DomainKnowledge } from './knowledge.js'
import { type DomainAuthorityManifest, manifestCodec, type Role } from './manifest.js'
import { defaultPolicy, type DomainPolicy, policyCodec, policyHash } from './policy.js'
import { rootCommitment, rootEntryCodec, ZERO_32 } from './root-entry.js'
import { type OfflineRootSet, rootSetCodec, rootSetFrom } from './root-set.js'

export interface NewPrincipal {
  readonly publicKey: PublicKey
  readonly roles: readonly Role[]
  /** name prefixes, by segments; '' = everything */
  readonly prefixes: readonly string[]
  /** the programs it may run, NONE = any; default: what it had, or any */
  readonly programs?: readonly Reference[]
}

export interface GenesisDraft {
  readonly rootSet: OfflineRootSet
  /** the root set that a later rotation goes to; its private keys aren't needed */
  readonly nextSet: OfflineRootSet
  /** 32 random bytes as hex: opens the commitment to the next root set */
  readonly nextSalt: string
  readonly rootKey: PublicKey
  readonly principals: readonly NewPrincipal[]
  readonly policy?: DomainPolicy
}

export interface DraftedGenesis {
  readonly domain: Reference
  readonly manifest: Reference
  /** root set, policy, certificate, entry and manifest 1: neither of the two is signed */
  readonly artifacts: readonly Artifact[]
}

export interface GenesisInit extends Omit<GenesisDraft, 'rootSet' | 'nextSet' | 'rootKey'> {
  /** at most nine; all of them sign */
  readonly root: Signer | readonly Signer[]
  /** as many as there are roots */
  readonly nextRoot: PublicKey | readonly PublicKey[]
  /** of both sets, default 1 */
  readonly threshold?: number
  readonly rootKey: Signer
}

export interface Genesis {
  readonly knowledge: DomainKnowledge
  readonly artifacts: readonly Artifact[]
}

/** The first objects of a domain before anybody signed: for roots that lie elsewhere. */
export function draftGenesis (init: GenesisDraft): DraftedGenesis {
  const { rootSet, rootKey } = init
  const policyValue = init.policy ?? defaultPolicy
  const certificateValue = {
    subject_type: 'domain_root' as const,
    subject_id: principalId(rootKey),
    subject_pubkey: rootKey,
    domain_id: NONE,
    roles: [],
    policy_hash: policyHash(policyValue),
    issued_by: rootSet.root_keys[0] as PublicKey,
    version: 0
  }
  const genesisValue = {
    domain_id: NONE,
    epoch: 0,
    previous: NONE,
    root_set: rootSetCodec.reference(rootSet),
    salt: ZERO_32,
    next_commitment: rootCommitment(init.nextSalt, rootSetCodec.reference(init.nextSet)),
    certificate: certificateCodec.reference(certificateValue),
    base: NONE
  }
  const domain = rootEntryCodec.reference(genesisValue)
  const manifestValue = firstManifest(domain, rootKey, policyHash(policyValue), init.principals)
  return {
    domain,
    manifest: manifestCodec.reference(manifestValue),
    artifacts: [rootSetCodec.artifact(rootSet), policyCodec.artifact(policyValue), certificateCodec.artifact(certificateValue), rootEntryCodec.artifact(genesisValue), manifestCodec.artifact(manifestValue)]
  }
}

/** Manifest 1, unsigned. */
export function firstManifest (domain: Reference, rootKey: PublicKey, policy: Hash, given: readonly NewPrincipal[]): DomainAuthorityManifest {
  const principals = given.map((p) => ({ ...p, id: principalId(p.publicKey) })).sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    domain_id: domain,
    root_entry: domain,
    version: 1,
    previous: NONE,
    root_key: rootKey,
    principals: principals.map((p) => ({ principal_id: p.id, public_key: p.publicKey, roles: [...p.roles].sort() })),
    policy_hash: policy,
    scope: principals.map((p) => ({ principal_id: p.id, prefixes: [...p.prefixes], programs: [...p.programs ?? [NONE]] })),
    closed: [],
    cuts: NONE
  }
}

/** Throws DiadError `root-set` for keys and a threshold that make no root set. */
export async function mintGenesis (init: GenesisInit): Promise<Genesis> {
  const { rootKey, threshold = 1 } = init
  const roots = 'sign' in init.root ? [init.root] : init.root
  const nextRoots = typeof init.nextRoot === 'string' ? [init.nextRoot] : init.nextRoot
  const { domain, manifest, artifacts: drafted } = draftGenesis({ ...init, rootSet: rootSetFrom(roots.map((r) => r.publicKey), threshold), nextSet: rootSetFrom(nextRoots, threshold), rootKey: rootKey.publicKey })
  const [rootSet, policy, certificate, entry, first] = drafted as [Artifact, Artifact, Artifact, Artifact, Artifact]
  const artifacts = [rootSet, policy, certificate, entry]
  for (const root of roots) artifacts.push(await signArtifact(root, 'root-entry', domain))
  artifacts.push(first, await signArtifact(rootKey, 'manifest', manifest))
  return { knowledge: judged(domain, artifacts), artifacts }
}

/** Knowledge of a domain made of nothing but `artifacts`. Throws where one isn't taken, or no manifest is in force: then the fault is ours. */
export function judged (domain: Reference, artifacts: readonly Artifact[]): DomainKnowledge {
  const knowledge = new DomainKnowledge(domain)
  for (const a of artifacts) {
    const { result, code } = knowledge.admit(a)
    if (result !== 'added') throw new Error(`a freshly minted object was not taken: ${code}`)
  }
  if (knowledge.authority().tip === undefined) throw new Error('a freshly minted domain has no manifest in force')
  return knowledge
}
