/** What `status` says of each followed domain: whether its names enter our view. A note beside the verdicts; it never changes them. */
import { limitView } from '../../authority/admission.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { Runtime } from '../runtime.js'
import { ownAdmissions } from './held.js'

export type AdmissionNote = { readonly admission?: 'admitted' | 'limited' | 'admission-missing' | 'not-admitted' }

/** A reader has no view of its own to admit anybody to. */
export async function admissionNotes (runtime: Runtime): Promise<(k: DomainKnowledge) => AdmissionNote> {
  const own = await ownAdmissions(runtime)
  if (own === undefined) return () => ({})
  return (k) => {
    if (runtime.records.get(k.domain)?.own === true) return {}
    const { code, refused } = limitView(k.view(), own.byDomain.get(k.domain))
    if (code === 'not-admitted' || code === 'admission-missing') return { admission: code }
    return { admission: refused.length === 0 ? 'admitted' : 'limited' }
  }
}
