/** Which domains peers hear of at all. */
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Authority } from '../authority/manifest-chain.js'
import type { DomainPolicy } from '../authority/policy.js'
import { NONE, referenceOfHash } from '../substrate/reference.js'

/**
 * T2: an empty list of trusted domains means public. A restricted domain is shown to nobody until peers can prove whose node they are (V6): to refuse
 * the right ones is better than to serve the wrong ones.
 */
export function isPublic (k: DomainKnowledge): boolean {
  const authority = k.authority()
  let open = known.get(authority)
  if (open === undefined) {
    known.set(authority, open = policyInForce(k, authority)?.federation_policy.trusted_domains.length === 0)
  }
  return open
}

/** Where no manifest counts, the one that the roots certified last: others must hear why none does, or they go on trusting a key that the roots have ended. */
function policyInForce ({ objects }: DomainKnowledge, { tip, policyOf, rootChain }: Authority): DomainPolicy | undefined {
  if (tip !== undefined) return policyOf(tip)
  const certificate = rootChain.judged.get(rootChain.entries.at(-1)?.ref ?? NONE)?.certificate
  return certificate === undefined ? undefined : objects.policies.get(referenceOfHash(certificate.policy_hash))
}

/** Asked of every domain for each message. */
const known = new WeakMap<Authority, boolean>()

/** Whether the domain may be named to strangers: in the DHT and as a gossip topic. What isn't known yet must be, or it could never be found. */
export function mayBeNamed (k: DomainKnowledge): boolean {
  return k.authority().tip === undefined || isPublic(k)
}
