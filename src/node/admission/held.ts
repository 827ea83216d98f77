/** What this home decided on other domains: the records that its internal lanes name, read from the store. */
import { type Admissions, admissionsOf, admitRefs } from '../../authority/admission.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { Artifact } from '../../substrate/artifact.js'
import type { Reference } from '../../substrate/reference.js'
import { getUndamaged } from '../../substrate/store.js'
import type { Runtime } from '../runtime.js'

export type { Admissions } from '../../authority/admission.js'

export const NO_ADMISSIONS: Admissions = { records: new Map(), byDomain: new Map(), missing: [] }

export async function readAdmissions (runtime: Runtime, own: DomainKnowledge): Promise<Admissions> {
  const held = new Map<Reference, Artifact>()
  for (const ref of admitRefs(own)) {
    const artifact = await getUndamaged(runtime.store.blocks, ref)
    if (artifact !== undefined) held.set(ref, artifact)
  }
  return admissionsOf(own, (ref) => held.get(ref))
}

/** Of the home's own domain; of a reader there are none. */
export async function ownAdmissions (runtime: Runtime): Promise<Admissions | undefined> {
  const own = runtime.own()
  return own === undefined ? undefined : await readAdmissions(runtime, await runtime.knowledge(own))
}
