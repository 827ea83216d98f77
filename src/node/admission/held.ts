/** What this home decided on other domains: the records that its internal lanes name, read from the store. */
import { type Admitted, admitRefs, effectiveAdmissions } from '../../authority/admission.js'
import { type AdmissionRecord, admissionRecordCodec } from '../../authority/admission-objects.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import type { Runtime } from '../runtime.js'

export interface Admissions {
  readonly records: ReadonlyMap<Reference, AdmissionRecord>
  readonly byDomain: ReadonlyMap<Reference, Admitted>
  /** Records that aren't here. One of them may be a withdrawal, so nothing counts as admitted until they are. */
  readonly missing: readonly Reference[]
}

export const NO_ADMISSIONS: Admissions = { records: new Map(), byDomain: new Map(), missing: [] }

export async function readAdmissions (runtime: Runtime, own: DomainKnowledge): Promise<Admissions> {
  const records = new Map<Reference, AdmissionRecord>()
  const missing: Reference[] = []
  for (const ref of admitRefs(own)) {
    try {
      const artifact = await runtime.store.blocks.get(ref)
      if (artifact === undefined) missing.push(ref)
      else records.set(ref, admissionRecordCodec.from(artifact))
    } catch (err) {
      // What is no record decides nothing; a damaged block is one that isn't here.
      if (err instanceof DiadError && err.code === 'block-damaged') missing.push(ref)
      else if (!(err instanceof MalformedError)) throw err
    }
  }
  return { records, byDomain: missing.length > 0 ? new Map() : effectiveAdmissions(records), missing }
}

/** Of the home's own domain; of a reader there are none. */
export async function ownAdmissions (runtime: Runtime): Promise<Admissions | undefined> {
  const own = runtime.own()
  return own === undefined ? undefined : await readAdmissions(runtime, await runtime.knowledge(own))
}
