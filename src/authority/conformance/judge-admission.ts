/** Judges what one domain makes of another: its request, and what of it enters the view. Pure. Source: RULES D1, D4, D5; protocols/vectors/README.md. */
import { type Artifact, decodeArtifact } from '../../substrate/artifact.js'
import { compareUtf8 } from '../../substrate/bytes.js'
import { MalformedError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { signatureCodec } from '../../substrate/signature.js'
import { admissionsOf, judgeRequest, limitView } from '../admission.js'
import { admissionRequestCodec } from '../admission-objects.js'
import { viewDigest } from '../domain-view.js'
import { judgeName } from '../judge-record.js'
import type { DomainKnowledge } from '../knowledge.js'
import { verdict, type VerdictCode } from '../verdict.js'
import type { Answer, Subject, Vector } from './vector.js'

const answer = (code: VerdictCode): Answer => ({ status: verdict(code).status, code })

/** D1: bytes that are no request are refused before anything else is looked at. */
export function answerRequest ({ request, signature }: Extract<Subject, { kind: 'request' }>, receiver: Reference, other: DomainKnowledge, nonces: Vector['nonces']): Answer {
  try {
    const asked = admissionRequestCodec.from(decodeArtifact(request))
    const by = signature === undefined ? undefined : signatureCodec.from(decodeArtifact(signature))
    const { status, code } = judgeRequest(asked, by, other, { receiver, nonces })
    return { status, code }
  } catch (err) {
    if (err instanceof MalformedError) return answer('malformed')
    throw err
  }
}

/** D4, D5: `content` = the records that are held. A name that the other domain itself doesn't show gets that domain's own verdict. */
export function answerAdmission (subject: Extract<Subject, { kind: 'admission' | 'admitted' }>, own: DomainKnowledge, other: DomainKnowledge, content: ReadonlyMap<Reference, Artifact>): Answer {
  const limited = limitView(other.view(), admissionsOf(own, (ref) => content.get(ref) ?? own.artifact(ref)).byDomain.get(other.domain))
  const view = viewDigest(new Map(limited.entries.map((e) => [e.name, e])))
  if (subject.kind === 'admitted') {
    const code = limited.refused.find((r) => r.name === subject.name)?.code ?? limited.entries.find((e) => e.name === subject.name)?.code
    return { ...answer(code ?? judgeName(other, subject.name).code), view }
  }
  return {
    ...answer(limited.code ?? 'accepted'),
    view,
    names: limited.entries.map((e) => e.name),
    refused: Object.fromEntries([...limited.refused].sort((a, b) => compareUtf8(a.name, b.name)).map(({ name, code }) => [name, code]))
  }
}

/** Whether an answer is the one that has to come. A view is compared where both have one; names and what is refused, wherever they are asked for. */
export function isAnswer (expected: Answer, got: Answer): boolean {
  return got.status === expected.status && got.code === expected.code && (expected.view === undefined || got.view === undefined || got.view === expected.view) &&
    (expected.names === undefined || listed(expected) === listed(got))
}

/** What enters and what doesn't, as one text. */
export function listed ({ names, refused }: Answer): string {
  const by = Object.entries(refused ?? {}).sort(([a], [b]) => compareUtf8(a, b))
  return names === undefined ? 'no names' : `names ${JSON.stringify(names)}, refused ${JSON.stringify(Object.fromEntries(by))}`
}
