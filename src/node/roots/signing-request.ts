/**
 * A signing request: one JSON file that is carried from root key to root key until enough have signed, a root entry or a move (M8). Whoever signs trusts nothing in it but bytes: it
 * holds the objects themselves, what is shown is computed from them, and a word in the file that says something else makes the file refused. Source:
 * RULES T1, M5, M8; THREATS 8.
 */
import { type DomainMoved, domainMovedCodec } from '../../authority/domain-moved.js'
import { DomainKnowledge } from '../../authority/knowledge.js'
import { moveFault } from '../../authority/moves.js'
import { entryFault, type NewEntry } from '../../authority/renew.js'
import { type RootEntry, rootEntryCodec } from '../../authority/root-entry.js'
import type { OfflineRootSet } from '../../authority/root-set.js'
import { type Artifact, decodeArtifact, encodeArtifact, referenceOfArtifact } from '../../substrate/artifact.js'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { type PublicKey, type Reference, referenceOfHash } from '../../substrate/reference.js'
import { type Signature, signatureCodec, signatureHolds, type Signer, signArtifact } from '../../substrate/signature.js'
import { plainFields } from '../home/json-fields.js'
import { moveSummary, summaryOf } from './summary.js'

const FORMAT = 'diad-signing-request'
const VERSION = 1
const FIELDS = ['format', 'version', 'purpose', 'domain', 'reference', 'target', 'artifacts', 'root_keys', 'threshold', 'signatures', 'summary']
/** A domain of a thousand manifests makes about one MB. */
export const MAX_REQUEST_BYTES = 32 * 1024 * 1024
const MAX_ARTIFACTS = 20_000

/** A request whose every word was checked against its objects. Made by {@link openRequest} and the functions below only. */
export type SigningRequest = EntryRequest | MoveRequest

export interface EntryRequest extends Asked {
  readonly purpose: 'root-entry'
  readonly entry: RootEntry
}

/** The roots say that the domain goes on as another one. */
export interface MoveRequest extends Asked {
  readonly purpose: 'domain-moved'
  readonly move: DomainMoved
  /** of the roots that sign */
  readonly epoch: number
}

interface Asked {
  readonly domain: Reference
  readonly ref: Reference
  readonly target: Artifact
  /** everything needed to judge the target, without it and its signatures */
  readonly artifacts: readonly Artifact[]
  readonly rootSet: OfflineRootSet
  /** valid, one a key, by keys of the set only */
  readonly signatures: readonly Signature[]
  /** what it does, in plain words, from the objects */
  readonly summary: readonly string[]
}

/** A request for `made`, with all that a machine needs to judge it which knows nothing of the domain. */
export function newRequest (k: DomainKnowledge, made: NewEntry): EntryRequest {
  const rest = made.artifacts.filter((a) => referenceOfArtifact(a) !== made.ref)
  return judgedEntry(k.domain, rootEntryCodec.artifact(made.entry), [...relevantOf(k, made.entry.base), ...rest], [])
}

/** For a move of the domain that `k` holds. Throws DiadError `request-refused` for one that would count for nothing. */
export function newMoveRequest (k: DomainKnowledge, move: DomainMoved): MoveRequest {
  const target = domainMovedCodec.artifact(move)
  const ref = referenceOfArtifact(target)
  return judgedMove(target, relevantOf(k).filter((a) => referenceOfArtifact(a) !== ref), [])
}

/** For a genesis (mint.ts): the domain is what is signed. `artifacts` hold root set, policy, certificate and first manifest. */
export function genesisRequest (domain: Reference, artifacts: readonly Artifact[]): EntryRequest {
  const target = artifacts.find((a) => referenceOfArtifact(a) === domain)
  if (target === undefined) throw new Error('a genesis request without its genesis')
  return judgedEntry(domain, target, artifacts.filter((a) => a !== target), [])
}

/** `base`: it may be a manifest that others needn't keep (M7). */
function relevantOf (k: DomainKnowledge, base?: Reference): Artifact[] {
  return k.objects.relevant(k.domain, base).flatMap((ref) => k.objects.artifact(ref) ?? [])
}

/** The request with one signature more. Throws DiadError `not-a-signer`, `already-signed`. */
export async function signRequest<R extends SigningRequest> (request: R, signer: Signer): Promise<R> {
  const key = signer.publicKey
  if (!request.rootSet.root_keys.includes(key)) throw new DiadError('not-a-signer', `the key ${key} is none of those that have to sign this`, 'name another --key')
  if (request.signatures.some((s) => s.public_key === key)) throw new DiadError('already-signed', `the key ${key} has signed this already`, 'pass the file on to the next one')
  const signature = signatureCodec.from(await signArtifact(signer, request.purpose, request.ref))
  if (!signatureHolds(signature)) throw new DiadError('bad-signature', `what the key ${key} signed doesn't verify`, 'check the device that holds it')
  return { ...request, signatures: [...request.signatures, signature] }
}

/** Whether enough have signed. */
export function isComplete ({ signatures, rootSet }: SigningRequest): boolean {
  return signatures.length >= rootSet.threshold
}

/** The target, what it needs and its signatures, in the order in which they are taken. */
export function artifactsOf (r: SigningRequest): Artifact[] {
  return [...r.artifacts, r.target, ...r.signatures.map((s) => signatureCodec.artifact(s))]
}

const base64 = (a: Artifact): string => Buffer.from(encodeArtifact(a)).toString('base64')

export function requestText (r: SigningRequest): string {
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    purpose: r.purpose,
    domain: domainText(r.domain),
    reference: r.ref,
    summary: r.summary,
    root_keys: r.rootSet.root_keys,
    threshold: r.rootSet.threshold,
    target: base64(r.target),
    artifacts: r.artifacts.map(base64),
    signatures: r.signatures.map((s) => base64(signatureCodec.artifact(s)))
  }, null, 2) + '\n'
}

function refuse (why: string, cause?: unknown): DiadError {
  return new DiadError('request-refused', `this signing request is refused: ${why}`, 'have it made anew where it came from, and ask how that happened', { cause })
}

/** Reads a request from wherever it comes. Throws DiadError `request-refused` with what is wrong, `request-newer`. */
export function openRequest (text: string): SigningRequest {
  let fields: Map<string, unknown>
  try {
    fields = plainFields(text)
  } catch (err) {
    throw refuse((err as MalformedError).message, err)
  }
  if (fields.get('format') !== FORMAT) throw refuse(`its format is not ${FORMAT}`)
  const version = fields.get('version')
  if (typeof version === 'number' && version > VERSION) throw new DiadError('request-newer', `this signing request was written by a newer diad (version ${version})`, 'update diad here')
  if (version !== VERSION) throw refuse('it has no version')
  const odd = [...fields.keys()].find((name) => !FIELDS.includes(name)) ?? FIELDS.find((name) => !fields.has(name))
  if (odd !== undefined) throw refuse(fields.has(odd) ? `it has an unknown field ${JSON.stringify(odd)}` : `it has no ${odd}`)
  const purpose = fields.get('purpose')
  if (purpose !== 'root-entry' && purpose !== 'domain-moved') throw refuse(`its purpose is ${JSON.stringify(purpose)}: root keys sign moves and root entries only`)
  const artifacts = listOf(fields, 'artifacts', MAX_ARTIFACTS).map((t) => artifactFrom(t, 'an artifact'))
  const target = artifactFrom(fields.get('target'), 'what is to be signed')
  const signatures = listOf(fields, 'signatures', 9).map((t) => artifactFrom(t, 'a signature'))
  const request = purpose === 'root-entry' ? judgedEntry(domainOf(target), target, artifacts, signatures) : judgedMove(target, artifacts, signatures)
  const said: Array<[string, unknown, unknown]> = [
    ['domain', fields.get('domain'), domainText(request.domain)],
    ['reference', fields.get('reference'), request.ref],
    ['threshold', fields.get('threshold'), request.rootSet.threshold],
    ['root keys', JSON.stringify(fields.get('root_keys')), JSON.stringify(request.rootSet.root_keys)],
    ['summary', JSON.stringify(fields.get('summary')), JSON.stringify(request.summary)]
  ]
  const lie = said.find(([, told, true_]) => told !== true_)
  if (lie !== undefined) throw refuse(`its ${lie[0]} isn't what its objects say`)
  return request
}

function listOf (fields: ReadonlyMap<string, unknown>, name: string, most: number): unknown[] {
  const list = fields.get(name)
  if (!Array.isArray(list) || list.length > most) throw refuse(`its ${name} are no list of at most ${most}`)
  return list as unknown[]
}

function artifactFrom (text: unknown, what: string): Artifact {
  if (typeof text !== 'string') throw refuse(`${what} is no text`)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw refuse(`${what} is not base64`)
  try {
    return decodeArtifact(new Uint8Array(bytes))
  } catch (err) {
    if (err instanceof MalformedError) throw refuse(`${what} is malformed: ${err.message}`, err)
    throw err
  }
}

function entryOf (target: Artifact): RootEntry {
  try {
    return rootEntryCodec.from(target)
  } catch (err) {
    if (err instanceof MalformedError) throw refuse(`what is to be signed is no root entry (${err.message})`, err)
    throw err
  }
}

function domainOf (target: Artifact): Reference {
  const entry = entryOf(target)
  return entry.epoch === 0 ? referenceOfArtifact(target) : entry.domain_id
}

/** What is held beside the target, and nothing else. */
function heldIn (domain: Reference, ref: Reference, artifacts: readonly Artifact[]): DomainKnowledge {
  const k = new DomainKnowledge(domain)
  // Not `admit(target)` first: what is shown is the domain as it is before.
  for (const artifact of artifacts) {
    if (referenceOfArtifact(artifact) === ref) throw refuse('it holds what is to be signed twice')
    const { result, code } = k.admit(artifact)
    if (result !== 'added' && result !== 'known') throw refuse(`it holds an object that doesn't belong there: ${code}`)
  }
  return k
}

/** T1, M5: judges what is to be signed by the bytes alone. */
function judgedEntry (domain: Reference, target: Artifact, artifacts: readonly Artifact[], signed: readonly Artifact[]): EntryRequest {
  const ref = referenceOfArtifact(target)
  const entry = entryOf(target)
  const k = heldIn(domain, ref, artifacts)
  const rootSet = k.objects.rootSets.get(entry.root_set)
  const certificate = k.objects.certificates.get(entry.certificate)
  if (rootSet === undefined) throw refuse('the root set isn\'t in it, so nobody knows who has to sign')
  if (certificate === undefined) throw refuse('the certificate isn\'t in it')
  if (!k.objects.policies.has(referenceOfHash(certificate.policy_hash))) throw refuse('the policy isn\'t in it')
  const fault = entryFault(k, { ref, entry, certificate, rootSet })
  if (fault !== undefined) throw refuse(`every node would refuse what is to be signed: ${fault.checks.at(-1)?.text ?? fault.code}`)
  return { purpose: 'root-entry', domain, ref, target, artifacts, entry, rootSet, signatures: signaturesFrom(signed, ref, 'root-entry', rootSet), summary: summaryOf(k, { ref, entry, certificate, rootSet }) }
}

/** T1, M8: the same of a move. */
function judgedMove (target: Artifact, artifacts: readonly Artifact[], signed: readonly Artifact[]): MoveRequest {
  const ref = referenceOfArtifact(target)
  const move = moveOf(target)
  const domain = move.domain_id
  const k = heldIn(domain, ref, artifacts)
  const { rootChain } = k.authority()
  const fault = moveFault(k.objects, domain, move, rootChain)
  const under = rootChain.judged.get(move.root_entry)
  if (fault !== undefined || under?.rootSet === undefined) throw refuse(`every node would refuse what is to be signed: ${fault?.checks.at(-1)?.text ?? 'its root set isn\'t in it'}`)
  const { rootSet, entry: { epoch } } = under
  return { purpose: 'domain-moved', domain, ref, target, artifacts, move, epoch, rootSet, signatures: signaturesFrom(signed, ref, 'domain-moved', rootSet), summary: moveSummary(move, epoch, rootSet) }
}

function moveOf (target: Artifact): DomainMoved {
  try {
    return domainMovedCodec.from(target)
  } catch (err) {
    if (err instanceof MalformedError) throw refuse(`what is to be signed is no move (${err.message})`, err)
    throw err
  }
}

function signaturesFrom (signed: readonly Artifact[], ref: Reference, purpose: SigningRequest['purpose'], set: OfflineRootSet): Signature[] {
  const signatures = signed.map((a) => signatureFrom(a, ref, purpose, set))
  if (new Set(signatures.map((s) => s.public_key)).size !== signatures.length) throw refuse('one key has signed twice in it')
  return signatures
}

function signatureFrom (artifact: Artifact, target: Reference, purpose: SigningRequest['purpose'], set: OfflineRootSet): Signature {
  let s: Signature
  try {
    s = signatureCodec.from(artifact)
  } catch (err) {
    if (err instanceof MalformedError) throw refuse('a signature in it is malformed', err)
    throw err
  }
  if (s.target !== target || s.purpose !== purpose) throw refuse('a signature in it was made for something else')
  if (!set.root_keys.includes(s.public_key)) throw refuse(`the key ${s.public_key}, which has signed it, is none of those that have to`)
  if (!signatureHolds(s)) throw refuse(`the signature of the key ${s.public_key} doesn't verify`)
  return s
}

/** The keys that haven't signed yet, in their order. */
export function outstanding (r: SigningRequest): PublicKey[] {
  const done = new Set(r.signatures.map((s) => s.public_key))
  return r.rootSet.root_keys.filter((key) => !done.has(key))
}
