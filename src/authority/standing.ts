/** What each held authority object counts for under one authority state. An object that only others name takes the best standing among those. Source: RULES R5. */
import { NONE, type Reference, referenceOfHash } from '../substrate/reference.js'
import type { HeldObjects } from './held-objects.js'
import type { JudgedManifest } from './judge-manifest.js'
import { policyFault } from './policy.js'
import { type RootChain, verdictOfEntry } from './root-chain.js'
import { failed, type Status, verdict, type Verdict } from './verdict.js'

/** What gives an object that is only named its standing, best first; a rejected object lends nothing. */
const LENT: readonly Status[] = ['accepted', 'deferred', 'void']

export function judgeHeld (
  objects: HeldObjects,
  domain: Reference,
  roots: RootChain,
  manifests: ReadonlyMap<Reference, JudgedManifest>,
  path: readonly JudgedManifest[],
  offChain: (j: JudgedManifest) => Verdict
): (ref: Reference) => Verdict {
  const onPath = new Set(path.map((j) => j.ref))
  let named: Map<Reference, Verdict> | undefined

  const ofManifest = (j: JudgedManifest): Verdict => j.verdict.status !== 'accepted' || onPath.has(j.ref) ? j.verdict : offChain(j)

  /** Root sets, certificates, policies and cut lists with the best standing among what names them; made when first asked for. */
  const lent = (): Map<Reference, Verdict> => {
    const out = new Map<Reference, Verdict>()
    const lend = (to: Reference, v: Verdict, by: Reference): void => {
      const rank = LENT.indexOf(v.status)
      const held = out.get(to)
      if (rank < 0 || (held !== undefined && LENT.indexOf(held.status) <= rank)) return
      out.set(to, v.status === 'accepted' ? verdict('accepted', [{ rule: 'M1', ok: true, text: `named by ${by}, which is in force` }]) : failed(v.code, `named by ${by}`, v.missing))
    }
    for (const j of roots.judged.values()) {
      const v = verdictOfEntry(roots, j.ref)
      lend(j.entry.root_set, v, j.ref)
      lend(j.entry.certificate, v, j.ref)
      const policy = objects.certificates.get(j.entry.certificate)?.policy_hash
      if (policy !== undefined) lend(referenceOfHash(policy), v, j.ref)
    }
    // Many manifests may name one list: who walked it with as good a standing has lent that to all it leads to.
    const walked = new Map<Reference, number>()
    for (const j of manifests.values()) {
      const v = ofManifest(j)
      const rank = LENT.indexOf(v.status)
      lend(referenceOfHash(j.manifest.policy_hash), v, j.ref)
      for (let at = j.manifest.cuts; rank >= 0 && at !== NONE && (walked.get(at) ?? Infinity) > rank; at = objects.cutLists.get(at)?.next ?? NONE) {
        walked.set(at, rank)
        lend(at, v, j.ref)
      }
    }
    return out
  }

  return (ref) => {
    const manifest = manifests.get(ref)
    if (manifest !== undefined) return ofManifest(manifest)
    if (roots.judged.has(ref)) return verdictOfEntry(roots, ref)
    if (!objects.has(ref)) return ref === domain ? failed('unknown-domain', 'its genesis is not held', [ref]) : failed('manifest-missing', `${ref} is not held`, [ref])
    if (objects.certificates.get(ref)?.subject_type === 'principal') return verdict('principal-certificate')
    const policy = objects.policies.get(ref)
    const fault = policy === undefined ? undefined : policyFault(policy)
    if (fault !== undefined) return failed(fault.code, fault.text)
    if (objects.manifests.has(ref) || objects.rootEntries.has(ref)) return failed('other-domain', 'it belongs to another domain')
    named ??= lent()
    return named.get(ref) ?? failed('unreferenced', 'nothing that is held names it')
  }
}
