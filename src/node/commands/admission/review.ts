/** `diad admit review`: what a request is worth, before anything is decided. */
import { type Admitted, finallyDecided } from '../../../authority/admission.js'
import { judgeBrought } from '../../../authority/admission-brought.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { Verdict } from '../../../authority/verdict.js'
import { DiadError } from '../../../substrate/errors.js'
import { isReference, type Reference } from '../../../substrate/reference.js'
import { readRequestFile, type RequestFile } from '../../admission/files.js'
import { type Admissions, readAdmissions } from '../../admission/held.js'
import { noncesFor } from '../../admission/nonces.js'
import { readWaiting, waitingOf, waitingPath, waits } from '../../admission/waiting.js'
import type { CommandIo } from '../../command.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import { calledHere, type Context, domainOf, ownDomain } from '../context.js'
import type { AdmissionArgs, AdmissionResults, WaitingListed } from './types.js'

export interface Reviewed {
  readonly file: RequestFile
  readonly verdict: Verdict
  /** of the domain that asks: what the file brings, and what is held */
  readonly applicant: DomainKnowledge
  readonly admissions: Admissions
  readonly admitted: Admitted | undefined
  readonly decided: boolean
}

/** Judges what a file brings as what a peer brings is judged (federation/admission-exchange.ts). */
export async function review (context: Context, path: string): Promise<Reviewed> {
  const { runtime } = context
  const receiver = ownDomain(context)
  const file = readRequestFile(path)
  const { request, ref } = file
  const held = runtime.records.has(request.applicant) ? await runtime.knowledge(request.applicant) : undefined
  const { verdict, applicant } = judgeBrought(file, held, { receiver, nonces: noncesFor(context.home, ref, request.nonce) })
  const admissions = await readAdmissions(runtime, await runtime.knowledge(receiver))
  return { file, verdict, applicant, admissions, admitted: admissions.byDomain.get(request.applicant), decided: finallyDecided(admissions, ref) }
}

/** The request that waits under this reference, or of this domain. */
export function waitingFor (context: Context, target: string): Reference | undefined {
  const { home } = context
  if (isReference(target) && waits(home, target)) return target
  return waitingOf(home, domainOf(context, target))
}

export async function admitReview (context: Context, { target, file: isFile }: AdmissionArgs['admit review'], io: CommandIo): Promise<AdmissionResults['admit review']> {
  if (target === undefined) return listWaiting(context, io)
  const waiting = isFile ? undefined : waitingFor(context, target)
  if (!isFile && waiting === undefined) throw await notWaiting(context, target)
  const { file, verdict, applicant, admitted, decided } = await review(context, waiting === undefined ? target : waitingPath(context.home, waiting))
  const { request, ref, peer } = file
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
    ...(peer === undefined ? {} : { peer }),
    ...(admitted === undefined ? {} : { decision: admitted.decision, admittedScope: [...admitted.scope] }),
    decided
  }
}

async function notWaiting (context: Context, target: string): Promise<DiadError> {
  const { runtime } = context
  const records = isReference(target) ? [...(await readAdmissions(runtime, await runtime.knowledge(ownDomain(context)))).records.values()].filter((r) => r.request === target) : []
  const decided = records.find((r) => r.decision !== 'DEFERRED')
  if (decided !== undefined) return new DiadError('not-found', `this request has been decided already (${decided.decision}), and waits no more`, 'see `diad admit list`')
  const domain = domainOf(context, target)
  return isReference(target) && !isKnown(context, domain) ? nothingNamed(context, domain) : new DiadError('not-found', `no request of ${calledHere(context, domain)} waits here`, '`diad admit review` lists those that do; a file is named with a slash in it')
}

const isKnown = (context: Context, domain: Reference): boolean => context.runtime.records.has(domain) || petnameOf(readPetnames(context.home), domain) !== undefined

/** A reference looks alike, whether it names a domain or a request. Of one that was replaced or removed nothing is kept here (waiting.ts), so it can't be told from none. */
export function nothingNamed (context: Context, ref: Reference): DiadError {
  if (isKnown(context, ref)) return new DiadError('not-found', 'nothing was decided on this domain yet', 'name the file of its request, or the reference of one that waits')
  return new DiadError('not-found', `no request ${ref.slice(0, 16)}… waits here, and nothing was decided on a domain of this name`, '`diad admit review` lists those that wait: a newer request of a domain takes the place of its older one')
}

function listWaiting (context: Context, io: CommandIo): AdmissionResults['admit review'] {
  const domain = ownDomain(context)
  const names = readPetnames(context.home)
  const waiting: WaitingListed[] = []
  for (const { ref, file: { request, peer } } of readWaiting(context.home, (line) => { io.warn(line) })) {
    const name = petnameOf(names, request.applicant)
    waiting.push({ request: ref, domain: request.applicant, ...(name === undefined ? {} : { name }), scope: request.requested_scope, ...(peer === undefined ? {} : { peer }) })
  }
  return { receiver: domain, waiting }
}
