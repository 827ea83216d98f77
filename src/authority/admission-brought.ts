/**
 * What an applicant brings along, by file or over the wire, and what it is worth. The objects of a domain judge themselves (M5, M7), so that a request can
 * be judged before anything else is known of whoever asks. Source: RULES D1.
 */
import { type Artifact, referenceOfArtifact } from '../substrate/artifact.js'
import type { Reference } from '../substrate/reference.js'
import { type Signature, signatureCodec } from '../substrate/signature.js'
import { judgeRequest, type Receiving } from './admission.js'
import { type AdmissionRequest, admissionRequestCodec } from './admission-objects.js'
import { DomainKnowledge } from './knowledge.js'
import type { Verdict } from './verdict.js'

export interface Brought {
  readonly request: AdmissionRequest
  readonly ref: Reference
  readonly signature: Signature
  /** root chain, manifests, policies and their signatures, as they came */
  readonly objects: readonly Artifact[]
}

/** Throws `MalformedError` where the request or its signature are none. */
export function readBrought (request: Artifact, signature: Artifact, objects: readonly Artifact[]): Brought {
  return { request: admissionRequestCodec.from(request), ref: referenceOfArtifact(request), signature: signatureCodec.from(signature), objects }
}

/** What an applicant sends along of itself. */
export function objectsOf (applicant: DomainKnowledge): Artifact[] {
  return applicant.objects.relevant(applicant.domain).flatMap((r) => applicant.objects.artifact(r) ?? [])
}

export interface JudgedRequest {
  readonly verdict: Verdict
  /** of the domain that asks: what was brought, and what was held */
  readonly applicant: DomainKnowledge
}

/** By what was brought together with what is held of that domain anyway: a newer root entry may be known here. Bad objects are left out. */
export function judgeBrought ({ request, signature, objects }: Brought, held: DomainKnowledge | undefined, receiving: Receiving): JudgedRequest {
  const applicant = new DomainKnowledge(request.applicant)
  for (const artifact of objects) applicant.admit(artifact)
  for (const artifact of held === undefined ? [] : objectsOf(held)) applicant.admit(artifact)
  return { verdict: judgeRequest(request, signature, applicant, receiving), applicant }
}

/** What is wrong with the request itself, whatever is known of the domain that asks: costs one signature check. */
export function faultOfRequest (brought: Brought, receiving: Receiving): Verdict | undefined {
  const { verdict } = judgeBrought({ ...brought, objects: [] }, undefined, receiving)
  return verdict.code === 'unknown-domain' ? undefined : verdict
}
