/** The domains of a run, minted by the production code with keys from the seed. */
import type { AdmissionRecord } from '../../src/authority/admission-objects.js'
import { mintGenesis } from '../../src/authority/mint.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { defaultPolicy } from '../../src/authority/policy.js'
import { rootCommitment } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import { principalId } from '../../src/publication/evidence.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import type { Hash, PublicKey, Reference } from '../../src/substrate/reference.js'
import type { DomainSpec, Role } from '../scenario/types.js'
import { Keyring } from './keyring.js'
import type { Random } from './random.js'

/** What somebody meant a key to be allowed. */
export interface Right { readonly name: string, readonly publicKey: PublicKey, readonly roles: readonly Role[], readonly scope: readonly string[] }

export interface SimDomain {
  readonly name: string
  readonly id: Reference
  readonly spec: DomainSpec
  /** its first objects, which its owner hands to everybody: root entry, certificate, policy, manifest 1 */
  readonly artifacts: Artifact[]
  readonly firstManifest: Reference
  readonly keys: Keyring
  /** by manifest what its signer meant to give, by principal id: what judges say is compared with this */
  readonly rights: Map<Reference, ReadonlyMap<Hash, Right>>
}

export const rightsById = (rights: readonly Right[]): ReadonlyMap<Hash, Right> => new Map(rights.map((r) => [principalId(r.publicKey), r]))

/** `idOf` gives the DomainIDs of domains minted before, for policies that name them; `onSign` is told what principals sign. */
export async function mintSimDomain (spec: DomainSpec, seed: number, random: Random, idOf: (name: string) => Reference, onSign: (target: Reference) => void): Promise<SimDomain> {
  const keys = new Keyring(spec.name, seed, random.fork(`keys of ${spec.name}`), onSign, spec.roots)
  const { rootKey, roots, nextRoots } = keys
  const all = spec.principals.map((p): Right => ({ name: p.name, publicKey: keys.principal(p.name).publicKey, roles: p.roles, scope: p.scope }))
  const later = new Set(spec.principals.filter((p) => p.later).map((p) => p.name))
  const rights = all.filter((r) => !later.has(r.name))
  const policy = spec.trusted.length === 0
    ? defaultPolicy
    : { ...defaultPolicy, federation_policy: { ...defaultPolicy.federation_policy, trusted_domains: spec.trusted.map(idOf).sort() } }
  const { knowledge, artifacts } = await mintGenesis({
    root: roots.signers,
    nextRoot: nextRoots.signers.map((s) => s.publicKey),
    threshold: spec.roots.threshold,
    nextSalt: nextRoots.salt,
    rootKey,
    principals: rights.map((r) => ({ publicKey: r.publicKey, roles: r.roles, prefixes: r.scope })),
    policy
  })
  keys.keep(rootCommitment(nextRoots.salt, rootSetCodec.reference(nextRoots.set)), nextRoots)
  const tip = knowledge.authority().tip
  if (tip === undefined) throw new RangeError(`${spec.name} has no manifest in force`)
  return { name: spec.name, id: knowledge.domain, spec, artifacts: [...artifacts], firstManifest: tip, keys, rights: new Map([[tip, rightsById(rights)]]) }
}

/** Knowledge of a node's own, holding the domain's first control objects. */
export function knowledgeOf (domain: SimDomain): DomainKnowledge {
  const k = new DomainKnowledge(domain.id)
  for (const artifact of domain.artifacts) k.admit(artifact)
  return k
}

/** Domains whose policy names others come after them; a circle of names can't be minted, for an id depends on the policy. Throws RangeError. */
export function mintingOrder (specs: readonly DomainSpec[]): DomainSpec[] {
  const out: DomainSpec[] = []
  const done = new Set<string>()
  let rest = [...specs]
  while (rest.length > 0) {
    const ready = rest.filter((s) => s.trusted.every((t) => done.has(t) || t === s.name))
    if (ready.length === 0) throw new RangeError(`the policies of ${rest.map((s) => s.name).join(', ')} name each other in a circle`)
    for (const s of ready) {
      out.push(s)
      done.add(s.name)
    }
    rest = rest.filter((s) => !done.has(s.name))
  }
  return out
}

/** What lies on a stick (stick.ts). */
export interface Stick {
  readonly domain: SimDomain
  readonly bundle: readonly Uint8Array[]
  /** on other domains, that the bundle holds */
  readonly decisions: readonly AdmissionRecord[]
}
