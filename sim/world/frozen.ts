/** Copies of what a node holds. */
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Reference } from '../../src/substrate/reference.js'

/** What is held of a domain, as it is now and stays: nothing that the core learns later gets in. `objects` = which of its authority objects. */
export function frozen (k: DomainKnowledge, objects: readonly Reference[] = k.objects.relevant(k.domain)): DomainKnowledge {
  const copy = new DomainKnowledge(k.domain)
  for (const ref of objects) {
    const artifact = k.artifact(ref)
    if (artifact !== undefined) copy.admit(artifact)
  }
  for (const lane of k.lanes.values()) {
    for (const ref of [lane.ref, ...[...lane.heads.values()].flatMap((h) => [h.ref, h.signatureRef])]) {
      const artifact = k.artifact(ref)
      if (artifact !== undefined) copy.admit(artifact)
    }
    const own = copy.lanes.get(lane.ref)
    for (const { head, log } of lane.branches) own?.extend(head, 0, log.leaves(0, head.snapshot.log_size), undefined)
    for (const [hash, body] of lane.bodies) own?.bodies.set(hash, body)
  }
  copy.touch()
  return copy
}
