/** Judges one vector by the core alone: no home, no store, no clock, no network. Source: RULES R5; protocols/vectors/README.md. */
import { type Artifact, decodeArtifact, referenceOf, referenceOfArtifactBytes } from '../../substrate/artifact.js'
import { MalformedError } from '../../substrate/errors.js'
import { NONE, type Reference } from '../../substrate/reference.js'
import { signatureCodec } from '../../substrate/signature.js'
import { TAG } from '../../substrate/type-tags.js'
import { forkEvidenceCodec } from '../../publication/evidence.js'
import { fileCodec } from '../../publication/file.js'
import { laneCodec, snapshotCodec } from '../../publication/lane.js'
import { decodeBody, hasBody, LEAF_BYTES } from '../../publication/leaf.js'
import { treeCodec } from '../../publication/tree.js'
import { childrenOf } from '../../publication/walk.js'
import { admissionRecordCodec, admissionRequestCodec } from '../admission-objects.js'
import { certificateCodec } from '../certificate.js'
import { cutListCodec } from '../cut-list.js'
import { domainMovedCodec } from '../domain-moved.js'
import { standingOf } from '../domain-standing.js'
import { judgeName, judgeRecord, judgeReference } from '../judge-record.js'
import { DomainKnowledge } from '../knowledge.js'
import { manifestCodec } from '../manifest.js'
import { policyCodec } from '../policy.js'
import { rootEntryCodec } from '../root-entry.js'
import { rootSetCodec } from '../root-set.js'
import { VERDICT_CODES, type VerdictCode } from '../verdict.js'
import { answerAdmission, answerRequest } from './judge-admission.js'
import type { Answer, OfferedBytes, OfferedLog, Vector } from './vector.js'

const CODECS = new Map<number, (artifact: Artifact) => unknown>(
  [rootSetCodec, certificateCodec, rootEntryCodec, policyCodec, manifestCodec, cutListCodec, signatureCodec, laneCodec, snapshotCodec, forkEvidenceCodec, fileCodec, treeCodec,
    admissionRequestCodec, admissionRecordCodec, domainMovedCodec]
    .map((codec) => [codec.tag, codec.from]))

/** Throws `MalformedError` where the payload breaks the shape that its tag declares; untagged bytes have none. */
function checkShape (artifact: Artifact): void {
  const tag = artifact.typeTag
  if (tag === undefined) return
  if (hasBody(tag - TAG.body)) decodeBody(tag - TAG.body, artifact.payload)
  else CODECS.get(tag)?.(artifact)
}

const answer = (code: string): Answer => ({ status: VERDICT_CODES.get(code as VerdictCode)?.status ?? 'unknown', code })

/** S-1, S-2, S-4: bytes alone. */
function judgeShape ({ bytes, reference }: OfferedBytes): Answer {
  if (reference !== undefined && referenceOfArtifactBytes(bytes) !== reference) return answer('reference-mismatch')
  try {
    checkShape(decodeArtifact(bytes))
    return answer('accepted')
  } catch (err) {
    if (err instanceof MalformedError) return answer('malformed')
    throw err
  }
}

/** What the store holds and no domain's own state consists of. */
const CONTENT: ReadonlySet<number> = new Set([TAG.file, TAG.tree, TAG.admissionRequest, TAG.admissionRecord])

/** Takes one artifact, as if a peer had sent it. */
function offer (k: DomainKnowledge, content: Map<Reference, Artifact>, offered: OfferedBytes): Answer {
  const shape = judgeShape(offered)
  if (shape.code !== 'accepted') return shape
  const artifact = decodeArtifact(offered.bytes)
  const tag = artifact.typeTag
  if (tag === undefined || CONTENT.has(tag)) content.set(referenceOf(tag, artifact.payload), artifact)
  return answer(k.admit(artifact).code)
}

/** Leaves that don't lead to the head they came for are refused whole; a body that no leaf asks for is not looked at. */
function offerLog (k: DomainKnowledge, { head: ref, leaves, bodies }: OfferedLog): Answer {
  const lane = [...k.lanes.values()].find((l) => l.heads.has(ref))
  const head = lane?.heads.get(ref)
  if (lane === undefined || head === undefined) return answer('head-missing')
  if (leaves.length % LEAF_BYTES !== 0) return answer('bad-range')
  // Another branch of the same lane is held beside it; a longer log of the same one grows it.
  const size = leaves.length / LEAF_BYTES
  const before = lane.branches.find((b) => size >= b.log.size && equal(b.log.leaves(0, b.log.size), leaves.subarray(0, b.log.size * LEAF_BYTES)))
  const extended = lane.extend(head, 0, leaves, before)
  if (extended.result !== 'extended') return answer(extended.result === 'old' ? 'accepted' : 'bad-range')
  bodies.forEach((body, i) => { if (body.length > 0 && i < extended.branch.log.size) lane.addBody(extended.branch, i, body) })
  k.touch()
  return answer('accepted')
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((n, i) => n === b[i])

/** V4: content counts by the exported records that contain it. */
function judgeContent (k: DomainKnowledge, content: ReadonlyMap<Reference, Artifact>, wanted: Reference): Answer {
  for (const entry of k.view().current.values()) {
    if (entry.ref === NONE || !below(content, entry.ref).has(wanted)) continue
    const whole = [...below(content, wanted)].every((ref) => content.has(ref))
    return answer(whole ? entry.code : 'content-missing')
  }
  return answer(content.has(wanted) ? 'unclaimed' : 'not-held')
}

/** `root` and what it contains, as far as it is held. */
function below (content: ReadonlyMap<Reference, Artifact>, root: Reference): Set<Reference> {
  const out = new Set([root])
  // A Set's walk also meets what is added on the way.
  for (const ref of out) {
    const artifact = content.get(ref)
    if (artifact !== undefined) for (const child of childrenOf(artifact)) out.add(child.ref)
  }
  return out
}

/** The verdict of this program on a vector. Throws `MalformedError` where the vector itself is wrong. */
export function judgeVector (vector: Vector): Answer {
  const { subject, artifacts, logs } = vector
  if (subject.kind === 'shape') return judgeShape(nth(artifacts, subject.index, vector))
  if (vector.domain === undefined) throw new MalformedError(`vector "${vector.name}": only a subject "shape" needs no domain`)
  const k = new DomainKnowledge(vector.domain)
  const content = new Map<Reference, Artifact>()
  artifacts.forEach((a, i) => { if (subject.kind !== 'offer' || i !== subject.index) offer(k, content, a) })
  logs.forEach((l, i) => { if (subject.kind !== 'log' || i !== subject.index) offerLog(k, l) })
  if (subject.kind === 'request' || subject.kind === 'admission' || subject.kind === 'admitted') {
    if (vector.other === undefined) throw new MalformedError(`vector "${vector.name}": its subject needs an "other"`)
    const other = new DomainKnowledge(vector.other.domain)
    vector.other.artifacts.forEach((a) => offer(other, new Map(), a))
    vector.other.logs.forEach((l) => offerLog(other, l))
    return subject.kind === 'request' ? answerRequest(subject, vector.domain, other, vector.nonces) : answerAdmission(subject, k, other, content)
  }
  const { status, code } = ((): Answer => {
    switch (subject.kind) {
      case 'offer': return offer(k, content, nth(artifacts, subject.index, vector))
      case 'log': return offerLog(k, nth(logs, subject.index, vector))
      case 'record': return judgeRecord(k, subject.lane, subject.index)
      case 'name': return judgeName(k, subject.name)
      case 'domain': return standingOf(k)
      case 'reference': {
        const verdict = judgeReference(k, subject.reference)
        return verdict.code === 'not-held' ? judgeContent(k, content, subject.reference) : verdict
      }
    }
  })()
  return k.authority().tip === undefined ? { status, code } : { status, code, view: k.view().digest }
}

function nth<T> (list: readonly T[], index: number, { name }: Vector): T {
  const found = list[index]
  if (found === undefined) throw new MalformedError(`vector "${name}": its subject names number ${index} of ${list.length}`)
  return found
}
