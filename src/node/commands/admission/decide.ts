/**
 * `diad admit accept|limit|defer|reject`: one record, named by an `admit` leaf of an internal lane. Decided on a request file, or on a domain that was
 * decided on before: then only more restrictively, for more than that needs a new request (D2).
 */
import { finallyDecided, judgeRequest, nextRecord, recordedManifest } from '../../../authority/admission.js'
import { type AdmissionRecord, admissionRecordCodec, type AdmissionRequest, admissionRequestCodec, admits, type Decision, DECISIONS, scopeWithin } from '../../../authority/admission-objects.js'
import { DomainKnowledge } from '../../../authority/knowledge.js'
import { appendRecord, checkMayAppend } from '../../../federation/append.js'
import { INTERNAL } from '../../../publication/lane.js'
import { DiadError } from '../../../substrate/errors.js'
import { isReference, type Reference } from '../../../substrate/reference.js'
import { type Signature, signatureCodec, type Signer } from '../../../substrate/signature.js'
import { type Admissions, readAdmissions } from '../../admission/held.js'
import { readNonces, useNonce } from '../../admission/nonces.js'
import { removeWaiting, waitingOf, waitingPath, waits } from '../../admission/waiting.js'
import type { CommandIo } from '../../command.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import { openSigner } from '../../keys/open-signer.js'
import { calledHere, type Context, domainOf, inTurn, ownDomain, principalSigner } from '../context.js'
import { isRescue } from '../rescue/is-rescue.js'
import { readNote } from '../rescue/note.js'
import { checkedScope } from './applying.js'
import { nothingNamed, review } from './review.js'
import type { AdmissionArgs, Decided } from './types.js'
import { absence, inForce } from './view.js'

type Target = AdmissionArgs['admit accept']

export const admitAccept = async (context: Context, args: AdmissionArgs['admit accept'], io: CommandIo): Promise<Decided> => await decide(context, args, io, 'ACCEPTED', [])
export const admitLimit = async (context: Context, args: AdmissionArgs['admit limit'], io: CommandIo): Promise<Decided> => await decide(context, args, io, 'ACCEPTED_LIMITED', args.scope)
export const admitDefer = async (context: Context, args: AdmissionArgs['admit defer'], io: CommandIo): Promise<Decided> => await decide(context, args, io, 'DEFERRED', [])
export const admitReject = async (context: Context, args: AdmissionArgs['admit reject'], io: CommandIo): Promise<Decided> => await decide(context, args, io, 'REJECTED', [])

/** What a decision is about. */
interface Subject {
  readonly domain: Reference
  readonly requestRef: Reference
  readonly request: AdmissionRequest
  /** absent where it is in the store already */
  readonly signature: Signature | undefined
  /** the most that may be admitted */
  readonly most: readonly string[]
  /** whether something of it is admitted already: then the request can't be accepted anew */
  readonly admitted: boolean
  readonly dam: Pick<AdmissionRecord, 'dam_hash' | 'policy_hash'>
}

async function decide (context: Context, target: Target, io: CommandIo, decision: Decision, prefixes: readonly string[]): Promise<Decided> {
  ownDomain(context)
  const rescue = isRescue(context.home) ? readNote(context.home.paths.root) : undefined
  // There the key stays on its stick.
  const lent = rescue === undefined ? undefined : await openSigner(rescue.key, io.passphrase ?? { kind: 'none' }, { expected: rescue.publicKey, signal: io.signal })
  try {
    return await decideAs(context, lent ?? await principalSigner(context, io), target, decision, prefixes)
  } finally {
    lent?.close()
  }
}

async function decideAs (context: Context, signer: Signer, target: Target, decision: Decision, prefixes: readonly string[]): Promise<Decided> {
  const own = ownDomain(context)
  const { runtime, home } = context
  return await inTurn(context, async () => {
    const k = await runtime.wake(own)
    checkMayAppend(k, signer.publicKey, { kind: 'admit', ref: own })
    const admissions = await readAdmissions(runtime, k)
    if (admissions.missing.length > 0) throw new DiadError('content-missing', `${admissions.missing.length} of this home's own decisions can't be read, so nothing can be decided on top of them`, 'see `diad doctor`; a bundle of this home may hold them')
    const subject = await subjectOf(context, admissions, target, decision)
    const scope = scopeFor(decision, prefixes, subject)
    const record = nextRecord(admissions, { domain_id: subject.domain, ...subject.dam, admitted_scope: scope, decision, request: subject.requestRef })
    // V1: put locally, so internal: nothing that is exported leads to them.
    const { blocks } = runtime.store
    for (const artifact of [admissionRequestCodec.artifact(subject.request), admissionRecordCodec.artifact(record), ...subject.signature === undefined ? [] : [signatureCodec.artifact(subject.signature)]]) {
      await blocks.put(artifact.typeTag, artifact.payload)
    }
    useNonce(home, subject.request.nonce, subject.requestRef)
    const ref = admissionRecordCodec.reference(record)
    const { lane, snapshot } = await appendRecord(runtime, k, signer, { kind: 'admit', ref }, () => [], INTERNAL)
    if (decision !== 'DEFERRED') removeWaiting(home, subject.requestRef)
    const after = await readAdmissions(runtime, k)
    const was = await inForce(context, admissions, subject.domain)
    const still = waitingOf(home, subject.domain)
    const name = petnameOf(readPetnames(home), subject.domain)
    const absent = admits(decision) ? await absence(context, subject.domain) : undefined
    return {
      domain: subject.domain,
      ...(name === undefined ? {} : { name }),
      decision,
      scope,
      record: ref,
      request: subject.requestRef,
      decisionEpoch: record.decision_epoch,
      previous: record.previous,
      lane,
      snapshot,
      names: (await inForce(context, after, subject.domain))?.names ?? 0,
      ...(was === undefined ? {} : { before: was }),
      ...(still === undefined || still === subject.requestRef ? {} : { waiting: still }),
      ...(absent === undefined ? {} : { absent })
    }
  })
}

/**
 * A domain that was decided on means that decision, whatever else waits of it: an applicant must not come between us and a withdrawal. What waits is named
 * by its reference; by its domain where nothing was decided yet, and never to be accepted whole, for a wider one may have taken its place since it was
 * looked at.
 */
async function subjectOf (context: Context, admissions: Admissions, { target, file }: Target, decision: Decision): Promise<Subject> {
  if (file) return await bySubjectFile(context, target)
  const { home } = context
  if (isReference(target) && waits(home, target)) return await bySubjectFile(context, waitingPath(home, target))
  const named = isReference(target) ? decidedOn(admissions, target) : undefined
  if (named === 'finally') throw decidedAlready()
  const domain = named ?? domainOf(context, target)
  const before = admissions.byDomain.get(domain)
  // What was put off waits on, and its file brings along what it is judged by.
  const putOff = before?.decision === 'DEFERRED' && admits(decision) ? before.heads.map((r) => admissions.records.get(r)?.request).find((r) => r !== undefined && waits(home, r)) : undefined
  if (putOff !== undefined) return await bySubjectFile(context, waitingPath(home, putOff))
  const waiting = before === undefined ? waitingOf(home, domain) : undefined
  if (waiting === undefined) return await byDomain(context, admissions, domain, decision)
  if (decision === 'ACCEPTED') throw new DiadError('request-waiting', `only by its reference is it sure which request of ${calledHere(context, domain)} is accepted whole`, `see \`diad admit review ${waiting}\`, then \`diad admit accept ${waiting}\``)
  return await bySubjectFile(context, waitingPath(home, waiting))
}

const decidedAlready = (): DiadError => new DiadError('admission-decided', 'this request has been decided already', 'name the domain instead to decide more restrictively; anything wider needs a new request with a new nonce')

/**
 * What a reference names that is no request that waits: a request that was decided, or put off, then its domain. Throws DiadError `admission-decided` for
 * one that was put off before another of its domain took its place. Undefined for what no record of ours names: then it is a domain, or nothing.
 */
function decidedOn (admissions: Admissions, ref: Reference): Reference | 'finally' | undefined {
  if (finallyDecided(admissions, ref)) return 'finally'
  const [record, putOff] = [...admissions.records].find(([, r]) => r.request === ref) ?? []
  if (record === undefined || putOff === undefined) return undefined
  const { domain_id: domain } = putOff
  const inForce = admissions.byDomain.get(domain)?.heads.some((r) => admissions.records.get(r)?.request === ref) === true
  if (!inForce) throw new DiadError('admission-decided', 'this request was put off, and a decision on another one of the same domain has taken its place', 'see `diad admit list`; anything wider needs a new request with a new nonce')
  return domain
}

async function bySubjectFile (context: Context, path: string): Promise<Subject> {
  const { file, verdict, applicant, decided } = await review(context, path)
  const { request, ref, signature } = file
  if (verdict.status !== 'accepted') throw new DiadError(verdict.code, `this request can't be decided on: ${verdict.checks.at(-1)?.text ?? verdict.code}`, `see \`diad admit review\`; the applicant can make another, and to forget this one delete ${path}`)
  if (decided) throw decidedAlready()
  const dam = recordedManifest(request.manifest, applicant)
  if (dam === undefined) throw new DiadError('manifest-missing', 'the manifest that the request names is not held', 'ask the applicant for a new request')
  return { domain: request.applicant, requestRef: ref, request, signature, dam, most: request.requested_scope, admitted: false }
}

/**
 * A domain that was decided on before: never more than the widest of the records in force. One record is narrowed or withdrawn; several, decided apart, are
 * merged by whoever sees them all (D4).
 */
async function byDomain (context: Context, admissions: Admissions, domain: Reference, decision: Decision): Promise<Subject> {
  const admitted = admissions.byDomain.get(domain)
  const rank = (d: Decision): number => DECISIONS.indexOf(d)
  const heads = (admitted?.heads ?? []).map((r) => admissions.records.get(r) as AdmissionRecord)
  const held = heads.sort((a, b) => rank(b.decision) - rank(a.decision) || b.decision_epoch - a.decision_epoch)[0]
  if (held === undefined) throw nothingNamed(context, domain)
  const waiting = waitingOf(context.home, domain)
  const other = waiting === undefined ? undefined : `another request of it waits, and is decided on by its reference: see \`diad admit review ${waiting}\``
  const open = held.decision === 'DEFERRED'
  if (!open && rank(decision) > rank(held.decision)) throw new DiadError('admission-decided', `the domain is ${held.decision} already, and that is final`, other ?? 'anything wider needs a new request with a new nonce')
  if (heads.length === 1 && decision === held.decision && decision !== 'ACCEPTED_LIMITED') throw new DiadError('nothing-to-change', `the domain is ${decision} already`, other ?? 'see `diad admit list`')
  const artifact = await context.runtime.store.blocks.get(held.request)
  if (artifact === undefined) throw new DiadError('content-missing', 'the request that was decided on is no longer held', 'ask the applicant for a new one')
  const request = admissionRequestCodec.from(artifact)
  if (open && admits(decision)) await judgeAgain(context, admissions, held.request, request)
  const { dam_hash, policy_hash } = held
  return { domain, requestRef: held.request, request, signature: undefined, dam: { dam_hash, policy_hash }, most: open ? request.requested_scope : held.admitted_scope, admitted: !open }
}

/** D1, D2: what was put off counts by what is known now: its key may be a thief's by the newest root entry, or another home of ours may have refused it. */
async function judgeAgain (context: Context, admissions: Admissions, ref: Reference, request: AdmissionRequest): Promise<void> {
  if (finallyDecided(admissions, ref)) throw new DiadError('admission-decided', 'this request has been decided already', 'anything wider needs a new request with a new nonce')
  const { runtime, home } = context
  const applicant = runtime.records.has(request.applicant) ? await runtime.knowledge(request.applicant) : new DomainKnowledge(request.applicant)
  // The one of our machines that put it off had handed out its nonce.
  const nonces = readNonces(home)
  if (!nonces.has(request.nonce)) nonces.set(request.nonce, ref)
  const verdict = judgeRequest(request, 'judged', applicant, { receiver: ownDomain(context), nonces })
  if (verdict.status !== 'accepted') throw new DiadError(verdict.code, `the request that was put off can't be decided on: ${verdict.checks.at(-1)?.text ?? verdict.code}`, 'name the file of the request, which brings along what it is judged by; or ask the applicant for another')
}

/** D5: what is admitted lies within what was requested, and, decided anew, within what was admitted before. */
function scopeFor (decision: Decision, prefixes: readonly string[], { request, most, admitted }: Subject): string[] {
  if (decision === 'ACCEPTED') return request.requested_scope
  if (decision !== 'ACCEPTED_LIMITED') return []
  const scope = checkedScope(prefixes)
  if (!scopeWithin(scope, most)) throw new DiadError('scope-too-wide', `no more than ${most.map((p) => p === '' ? 'everything' : p).join(', ')} can be admitted`, 'name prefixes within that; anything wider needs a new request')
  if (scopeWithin(request.requested_scope, scope)) throw new DiadError('nothing-to-change', `that is all that was asked for${admitted ? ', and it is admitted already' : ''}`, admitted ? 'name less of it to narrow what is admitted; see `diad admit list`' : 'use `diad admit accept`')
  return scope
}
