/** Any control object of a domain by its reference, explained. */
import type { Reference } from '../../substrate/reference.js'
import { explainEntry, explainManifest, explainMove, explainObject, type Scene } from './authority.js'
import { explainDomain } from './domain.js'
import { explainEvidence, explainHead, explainLane } from './lane.js'
import type { Explained } from './tree.js'

/** undefined when the domain holds nothing of this reference. */
export function explainReference (scene: Scene, ref: Reference): Explained | undefined {
  const { k } = scene
  if (ref === k.domain) return explainDomain(scene)
  const authority = k.authority()
  if (authority.judged.has(ref)) return explainManifest(scene, ref)
  if (authority.rootChain.judged.has(ref)) return explainEntry(scene, ref)
  if (authority.judgedMoves.has(ref)) return explainMove(scene, ref)
  const { lanes } = k.viewAll()
  const lane = lanes.get(ref)
  if (lane !== undefined) return explainLane(scene, lane)
  for (const v of lanes.values()) {
    const head = v.knowledge.heads.get(ref)
    if (head !== undefined) return explainHead(scene, v, head)
    if (v.knowledge.evidenceRef === ref) return { ...explainEvidence(scene, v), because: [explainLane(scene, v)] }
  }
  return k.artifact(ref) === undefined ? undefined : explainObject(scene, ref)
}

/** References of everything that {@link explainReference} knows and that begins with `digits`. */
export function referencesOf ({ k }: Scene, digits: string): Reference[] {
  const out = new Set<Reference>([k.domain, ...k.inventory(), ...k.authority().judged.keys(), ...k.authority().rootChain.judged.keys(), ...k.authority().judgedMoves.keys()])
  for (const [ref, lane] of k.lanes) {
    out.add(ref)
    for (const head of lane.heads.keys()) out.add(head)
  }
  return [...out].filter((r) => r.startsWith(digits)).sort()
}
