/** `diad admit list` and `diad view`: what was decided, and what therefore stands in our view of the federation (D4, D5, R4). */
import { type Admissions, federationView, limitView, type Limited } from '../../../authority/admission.js'
import { admits } from '../../../authority/admission-objects.js'
import { rootEntry } from '../../../publication/walk.js'
import { NONE, type Reference } from '../../../substrate/reference.js'
import { NO_ADMISSIONS, ownAdmissions } from '../../admission/held.js'
import type { CommandIo } from '../../command.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import { type Context, ownDomain } from '../context.js'
import type { AbsentCode, AdmissionArgs, AdmissionResults, InForce, ListedAdmission } from './types.js'

/** Of each domain that takes part here, but our own. */
async function limited (context: Context): Promise<{ parts: Map<Reference, Limited>, byDomain: Admissions['byDomain'], missing: readonly Reference[] }> {
  const { runtime } = context
  const { byDomain, missing } = await ownAdmissions(runtime) ?? NO_ADMISSIONS
  const parts = new Map<Reference, Limited>()
  for (const domain of runtime.active()) {
    if (runtime.records.get(domain)?.own === true) continue
    parts.set(domain, limitView((await runtime.knowledge(domain)).view(), byDomain.get(domain)))
  }
  return { parts, byDomain, missing }
}

/** Why nothing of a domain can be in our view, whatever was decided on it. Only what takes part is asked for news, so only that is in CURRENT (D5). */
export async function absence ({ runtime }: Context, domain: Reference): Promise<AbsentCode | undefined> {
  const record = runtime.records.get(domain)
  if (record !== undefined && !record.dormant) return undefined
  return record !== undefined && (await runtime.knowledge(domain)).authority().tip !== undefined ? 'not-followed' : 'not-held'
}

/** What is in force for a domain, and how much of it enters our view by that; undefined where nothing was decided. */
export async function inForce ({ runtime }: Context, { byDomain }: Pick<Admissions, 'byDomain'>, domain: Reference): Promise<InForce | undefined> {
  const admitted = byDomain.get(domain)
  if (admitted === undefined) return undefined
  const names = runtime.records.get(domain)?.dormant === false ? limitView((await runtime.knowledge(domain)).view(), admitted).entries.length : 0
  return { decision: admitted.decision, scope: [...admitted.scope], names }
}

export async function admitList (context: Context, _args: AdmissionArgs['admit list'], _io: CommandIo): Promise<AdmissionResults['admit list']> {
  const own = ownDomain(context)
  const { parts, byDomain, missing } = await limited(context)
  const names = readPetnames(context.home)
  const admissions: ListedAdmission[] = []
  for (const a of byDomain.values()) {
    const name = petnameOf(names, a.domain)
    const part = parts.get(a.domain)
    const code = part === undefined ? await absence(context, a.domain) : part.code ?? part.refused.find((r) => r.code === 'admission-stale')?.code ?? part.refused[0]?.code
    admissions.push({
      domain: a.domain, ...(name === undefined ? {} : { name }), decision: a.decision, scope: [...a.scope], records: [...a.heads],
      names: part?.entries.length ?? 0, refused: part?.refused.length ?? 0, ...(code === undefined ? {} : { code })
    })
  }
  return { domain: own, admissions, missing: [...missing] }
}

export async function view (context: Context, _args: AdmissionArgs['view'], io: CommandIo): Promise<AdmissionResults['view']> {
  const own = ownDomain(context)
  const k = await context.runtime.knowledge(own)
  const { parts, byDomain, missing } = await limited(context)
  if (missing.length > 0) io.warn(`${missing.length} of this home's own decisions can't be read, so no other domain counts as admitted: see \`diad doctor\``)
  const names = readPetnames(context.home)
  const called = (domain: Reference): { petname?: string } => {
    const petname = petnameOf(names, domain)
    return petname === undefined ? {} : { petname }
  }
  const rows = federationView([{ domain: own, entries: [...k.view().current.values()].filter((e) => e.ref !== NONE) }, ...[...parts].map(([domain, { entries }]) => ({ domain, entries }))])
  const refused: AdmissionResults['view']['refused'] = []
  for (const [domain, part] of parts) {
    const counts = new Map<string, number>()
    for (const { code } of part.refused) counts.set(code, (counts.get(code) ?? 0) + 1)
    if (part.code !== undefined && counts.size === 0) counts.set(part.code, 0)
    const decision = byDomain.get(domain)?.decision
    for (const [code, count] of counts) refused.push({ domain, ...called(domain), code, ...(decision === undefined ? {} : { decision }), names: count })
  }
  for (const { domain, decision } of byDomain.values()) {
    const code = admits(decision) ? await absence(context, domain) : undefined
    if (code !== undefined) refused.push({ domain, ...called(domain), code, decision, names: 0 })
  }
  const { blocks } = context.runtime.store
  const entries: AdmissionResults['view']['entries'] = []
  for (const { domain, entry } of rows) {
    const root = await rootEntry(blocks, entry.ref, entry.mode).catch(() => undefined)
    const code = entry.code === 'contested' ? entry.code : root === undefined ? 'content-missing' : undefined
    entries.push({ domain, ...called(domain), name: entry.name, ref: entry.ref, kind: root?.kind ?? 'file', size: root?.kind === 'file' ? root.size : null, mode: entry.mode, logseq: entry.logseq, ...(code === undefined ? {} : { code }) })
  }
  return { domain: own, entries, refused }
}
