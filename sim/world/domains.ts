/** The domains of a run, minted by the production code with keys from the seed. */
import { mintGenesis } from '../../src/authority/mint.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { defaultPolicy } from '../../src/authority/policy.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import { type Reference, REFERENCE_LENGTH, referenceFromBytes } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import type { DomainSpec } from '../scenario/types.js'
import { signerFrom } from './keys.js'
import type { Random } from './random.js'

export interface SimDomain {
  readonly name: string
  readonly id: Reference
  /** root chain, certificate, policy, manifests: what its owner hands to everybody */
  readonly artifacts: Artifact[]
  /** by the name of the principal */
  readonly principals: ReadonlyMap<string, Signer>
  readonly root: Signer
  readonly nextRoot: Signer
  readonly rootKey: Signer
}

/** `idOf` gives the DomainIDs of domains minted before, for policies that name them; `onSign` is told what principals sign. */
export async function mintSimDomain (spec: DomainSpec, seed: number, random: Random, idOf: (name: string) => Reference, onSign: (target: Reference) => void): Promise<SimDomain> {
  const key = (role: string): Signer => signerFrom(seed, `${spec.name} ${role}`)
  const [root, nextRoot, rootKey] = [key('root'), key('next root'), key('root_key')]
  const principals = new Map(spec.principals.map((p) => [p.name, watched(key(`principal ${p.name}`), onSign)]))
  const policy = spec.trusted.length === 0
    ? defaultPolicy
    : { ...defaultPolicy, federation_policy: { ...defaultPolicy.federation_policy, trusted_domains: spec.trusted.map(idOf).sort() } }
  const { knowledge, artifacts } = await mintGenesis({
    root,
    nextRoot: nextRoot.publicKey,
    nextSalt: random.fork(`salt of ${spec.name}`).hex(32),
    rootKey,
    principals: spec.principals.map((p) => ({ publicKey: (principals.get(p.name) as Signer).publicKey, roles: p.roles, prefixes: p.scope })),
    policy
  })
  return { name: spec.name, id: knowledge.domain, artifacts: [...artifacts], principals, root, nextRoot, rootKey }
}

/** A signer that tells what it signs: the target's reference stands at the end of the signed bytes. */
function watched (signer: Signer, onSign: (target: Reference) => void): Signer {
  return {
    publicKey: signer.publicKey,
    sign: async (message) => {
      onSign(referenceFromBytes(message.subarray(message.length - REFERENCE_LENGTH)))
      return await signer.sign(message)
    }
  }
}

/** Knowledge of a node's own, holding the domain's control objects. */
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
