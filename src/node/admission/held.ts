/** What this home decided on other domains: the records that its internal lanes name, read from the store. */
import { type Admissions, admissionsOf, admitRefs, widenedWithout } from '../../authority/admission.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { Loss } from '../../authority/losses.js'
import type { Artifact } from '../../substrate/artifact.js'
import { domainText } from '../../substrate/domain-id.js'
import type { Reference } from '../../substrate/reference.js'
import { getUndamaged } from '../../substrate/store.js'
import type { Home } from '../home/home.js'
import { petnameOf, readPetnames } from '../home/petnames.js'
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

/** D4, D5: what was turned away mustn't come back unnoticed because the key that turned it away is closed. undefined: nothing does. */
export function widenedInWords (home: Home, before: Admissions, losses: readonly Loss[]): string | undefined {
  const gone = new Set(losses.flatMap((l) => l.admits))
  const wider = gone.size === 0 ? [] : widenedWithout(before, gone)
  if (wider.length === 0) return undefined
  const names = readPetnames(home)
  return wider.map(({ domain, before: was, after }) => `${petnameOf(names, domain) ?? domainText(domain)} (${was} → ${after}${was === after ? ', for more names' : ''})`).join(', ')
}

export const admittedAgain = (wider: string): string => `decisions on other domains became void, and older ones are in force again: ${wider}; what shall stay out has to be turned away anew (\`diad admit reject DOMAIN\`)`
