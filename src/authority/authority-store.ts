/** The held authority objects of a domain together with the two questions that keeping and fetching them asks. Source: RULES B3, R5. */
import { NONE, type PublicKey, type Reference, referenceOfHash } from '../substrate/reference.js'
import { type AuthorityPurpose, HeldObjects } from './held-objects.js'
import { resolveAuthority } from './manifest-chain.js'

export class AuthorityObjects extends HeldObjects {
  /** What held objects name and that isn't held, in a fixed order; [domain] at first. Unsigned objects can ask for what they follow only. */
  missing (domain: Reference): readonly Reference[] {
    return resolveAuthority(this, domain).missing
  }

  /** Root entries and manifests in place that lack signatures; those can only be asked for by their target. */
  unsigned (domain: Reference): readonly Reference[] {
    return resolveAuthority(this, domain).unsigned
  }

  /**
   * What is kept, served and put into bundles for the domain: everything that valid links lead to from its genesis, losing branches too (others need
   * them to come to the same verdicts), each with its signatures. In the order of B3: root chain, certificates and policies, manifests.
   */
  relevant (domain: Reference): Reference[] {
    const { rootChain, judged } = resolveAuthority(this, domain)
    const out = new Set<Reference>()
    const take = (ref: Reference): void => {
      if (this.has(ref)) out.add(ref)
    }
    const takeSignature = (target: Reference, purpose: AuthorityPurpose, key: PublicKey): void => {
      const ref = this.signature(target, purpose, key)
      if (ref !== undefined) out.add(ref)
    }
    const entries = [...rootChain.judged.values()].filter((j) => j.verdict.status === 'accepted')
    for (const j of entries) {
      take(j.entry.root_set)
      take(j.ref)
      for (const key of j.rootSet?.root_keys ?? []) takeSignature(j.ref, 'root-entry', key)
    }
    for (const j of entries) {
      take(j.entry.certificate)
      if (j.certificate !== undefined) take(referenceOfHash(j.certificate.policy_hash))
    }
    for (const j of judged.values()) {
      if (j.verdict.status !== 'accepted') continue
      for (let at = j.manifest.cuts; at !== NONE; at = this.cutLists.get(at)?.next ?? NONE) take(at)
      take(j.ref)
      takeSignature(j.ref, 'manifest', j.manifest.root_key)
    }
    return [...out]
  }
}
