/** `diad admit review`: what a request is worth, before anything is decided. */
import { type Admitted, judgeRequest } from '../../../authority/admission.js'
import { type AdmissionRecord } from '../../../authority/admission-objects.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { Verdict } from '../../../authority/verdict.js'
import type { Reference } from '../../../substrate/reference.js'
import { readRequestFile, type RequestFile } from '../../admission/files.js'
import { type Admissions, readAdmissions } from '../../admission/held.js'
import { readNonces } from '../../admission/nonces.js'
import type { CommandIo } from '../../command.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import { type Context, ownDomain } from '../context.js'
import type { AdmissionArgs, AdmissionResults } from './types.js'

export interface Reviewed {
  readonly file: RequestFile
  readonly verdict: Verdict
  readonly admissions: Admissions
  readonly admitted: Admitted | undefined
  readonly decided: boolean
}

/** Judges what a file brings, together with what is held of that domain anyway: a newer root entry may be known here. */
export async function review (context: Context, path: string): Promise<Reviewed> {
  const { runtime } = context
  const receiver = ownDomain(context)
  const file = readRequestFile(path)
  const { applicant } = file
  if (runtime.records.has(applicant.domain)) await joinHeld(applicant, await runtime.knowledge(applicant.domain))
  const verdict = judgeRequest(file.request, file.signature, applicant, { receiver, nonces: readNonces(context.home) })
  const admissions = await readAdmissions(runtime, await runtime.knowledge(receiver))
  return { file, verdict, admissions, admitted: admissions.byDomain.get(applicant.domain), decided: finallyDecided(admissions.records, file.ref) }
}

async function joinHeld (into: DomainKnowledge, held: DomainKnowledge): Promise<void> {
  for (const ref of held.objects.relevant(held.domain)) {
    const artifact = held.objects.artifact(ref)
    if (artifact !== undefined) into.admit(artifact)
  }
}

/** D2. */
export function finallyDecided (records: ReadonlyMap<Reference, AdmissionRecord>, request: Reference): boolean {
  return [...records.values()].some((r) => r.request === request && r.decision !== 'DEFERRED')
}

export async function admitReview (context: Context, args: AdmissionArgs['admit review'], _io: CommandIo): Promise<AdmissionResults['admit review']> {
  const { file, verdict, admitted, decided } = await review(context, args.file)
  const { request, ref, applicant } = file
  const name = petnameOf(readPetnames(context.home), request.applicant)
  return {
    status: verdict.status,
    code: verdict.code,
    checks: [...verdict.checks],
    missing: [...verdict.missing],
    request: ref,
    domain: request.applicant,
    ...(name === undefined ? {} : { name }),
    authority: applicant.authority().stateText,
    scope: request.requested_scope,
    ...(admitted === undefined ? {} : { decision: admitted.decision }),
    decided
  }
}
