/**
 * The first objects of a domain: root set and committed next one (M8), certificate, policy, genesis entry, manifest 1. Pure but for the signers and
 * the salt that it is given; every object is judged by the code that strangers will use before anybody hears of it.
 */
import { principalId } from '../publication/evidence.js'
import type { Artifact } from '../substrate/artifact.js'
import { NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { signArtifact, type Signer } from '../substrate/signature.js'
import { certificateCodec } from './certificate.js'
import { DomainKnowledge } from './knowledge.js'
import { manifestCodec, type Role } from './manifest.js'
import { defaultPolicy, type DomainPolicy, policyCodec, policyHash } from './policy.js'
import { rootCommitment, rootEntryCodec } from './root-entry.js'
import { rootSetCodec } from './root-set.js'

const NO_SALT = '0'.repeat(64)

export interface NewPrincipal {
  readonly publicKey: PublicKey
  readonly roles: readonly Role[]
  /** name prefixes, by segments; '' = everything */
  readonly prefixes: readonly string[]
}

export interface GenesisInit {
  readonly root: Signer
  /** the key of the root set that a later rotation goes to; its private half isn't needed */
  readonly nextRoot: PublicKey
  /** 32 random bytes as hex: opens the commitment to the next root set */
  readonly nextSalt: string
  readonly rootKey: Signer
  readonly principals: readonly NewPrincipal[]
  readonly policy?: DomainPolicy
}

export interface Genesis {
  readonly knowledge: DomainKnowledge
  readonly artifacts: readonly Artifact[]
}

export async function mintGenesis (init: GenesisInit): Promise<Genesis> {
  const { root, rootKey } = init
  const policyValue = init.policy ?? defaultPolicy
  const rootSetValue = { version: 1 as const, root_keys: [root.publicKey], threshold: 1, reserved0: 0 as const }
  const nextSetValue = { version: 1 as const, root_keys: [init.nextRoot], threshold: 1, reserved0: 0 as const }
  const certificateValue = {
    subject_type: 'domain_root' as const,
    subject_id: principalId(rootKey.publicKey),
    subject_pubkey: rootKey.publicKey,
    domain_id: NONE,
    roles: [],
    policy_hash: policyHash(policyValue),
    issued_by: root.publicKey,
    version: 0
  }
  const genesisValue = {
    domain_id: NONE,
    epoch: 0,
    previous: NONE,
    root_set: rootSetCodec.reference(rootSetValue),
    salt: NO_SALT,
    next_commitment: rootCommitment(init.nextSalt, rootSetCodec.reference(nextSetValue)),
    certificate: certificateCodec.reference(certificateValue),
    base: NONE
  }
  const domain = rootEntryCodec.reference(genesisValue)
  const principals = init.principals.map((p) => ({ ...p, id: principalId(p.publicKey) })).sort((a, b) => (a.id < b.id ? -1 : 1))
  const manifestValue = {
    domain_id: domain,
    root_entry: domain,
    version: 1,
    previous: NONE,
    root_key: rootKey.publicKey,
    principals: principals.map((p) => ({ principal_id: p.id, public_key: p.publicKey, roles: [...p.roles].sort() })),
    policy_hash: policyHash(policyValue),
    scope: principals.map((p) => ({ principal_id: p.id, prefixes: [...p.prefixes], programs: [NONE] })),
    closed: [],
    cuts: NONE
  }
  const artifacts = [
    rootSetCodec.artifact(rootSetValue), policyCodec.artifact(policyValue), certificateCodec.artifact(certificateValue),
    rootEntryCodec.artifact(genesisValue), await signArtifact(root, 'root-entry', domain),
    manifestCodec.artifact(manifestValue), await signArtifact(rootKey, 'manifest', manifestCodec.reference(manifestValue))
  ]
  return { knowledge: judged(domain, artifacts), artifacts }
}

function judged (domain: Reference, artifacts: readonly Artifact[]): DomainKnowledge {
  const knowledge = new DomainKnowledge(domain)
  for (const a of artifacts) {
    const { result, code } = knowledge.admit(a)
    if (result !== 'added') throw new Error(`a freshly minted object was not taken: ${code}`)
  }
  if (knowledge.authority().tip === undefined) throw new Error('a freshly minted domain has no manifest in force')
  return knowledge
}
