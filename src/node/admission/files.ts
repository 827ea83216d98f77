/**
 * The two files that travel between domains, by whatever way: a nonce that the receiver hands out, and the request that comes back. A request brings the
 * applicant's root chain, manifests and policies along, so that it can be judged before anything else is known of that domain (D1). JSON, for any mail.
 */
import { readFileSync, statSync } from 'node:fs'
import { domainText, parseDomain } from '../../substrate/domain-id.js'
import { decodeArtifact, encodeArtifact, type Artifact, referenceOfArtifact } from '../../substrate/artifact.js'
import { fromHex, toHex } from '../../substrate/bytes.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { type Signature, signatureCodec } from '../../substrate/signature.js'
import { type AdmissionRequest, admissionRequestCodec } from '../../authority/admission-objects.js'
import { DomainKnowledge } from '../../authority/knowledge.js'
import { createFile, errorCode } from '../home/atomic-file.js'

const NONCE = 'diad-admission-nonce'
const REQUEST = 'diad-admission-request'
const VERSION = 1
/** bytes of a file that is read: a chain of some thousand manifests as hex */
const MAX_BYTES = 64 * 1024 * 1024

export interface NonceFile { readonly receiver: Reference, readonly nonce: string }

export interface RequestFile {
  readonly request: AdmissionRequest
  readonly ref: Reference
  readonly signature: Signature
  /** what came along of the domain that asks, judged by itself */
  readonly applicant: DomainKnowledge
}

/** Never over another file. Throws DiadError `file-exists`. */
export function writeNonceFile (path: string, { receiver, nonce }: NonceFile): void {
  write(path, { format: NONCE, version: VERSION, receiver: domainText(receiver), nonce })
}

/** Throws DiadError `unreadable`, `MalformedError`. */
export function readNonceFile (path: string): NonceFile {
  const fields = read(path, NONCE)
  const nonce = fields.get('nonce')
  if (typeof nonce !== 'string' || !/^[0-9a-f]{64}$/.test(nonce)) throw broken(path, 'it holds no nonce')
  return { receiver: domainField(path, fields.get('receiver')), nonce }
}

export function writeRequestFile (path: string, request: AdmissionRequest, signature: Artifact, applicant: DomainKnowledge): void {
  const objects = applicant.objects.relevant(applicant.domain).flatMap((r) => applicant.objects.artifact(r) ?? [])
  write(path, {
    format: REQUEST,
    version: VERSION,
    applicant: domainText(request.applicant),
    request: hexOf(admissionRequestCodec.artifact(request)),
    signature: hexOf(signature),
    objects: objects.map(hexOf)
  })
}

/** Throws DiadError `unreadable`, `MalformedError`. Of the objects that come along each counts for what it is; bad ones are left out. */
export function readRequestFile (path: string): RequestFile {
  const fields = read(path, REQUEST)
  try {
    const artifact = artifactOf(fields.get('request'))
    const request = admissionRequestCodec.from(artifact)
    const signature = signatureCodec.from(artifactOf(fields.get('signature')))
    const applicant = new DomainKnowledge(request.applicant)
    const objects = fields.get('objects')
    for (const text of Array.isArray(objects) ? objects as unknown[] : []) applicant.admit(artifactOf(text))
    return { request, ref: referenceOfArtifact(artifact), signature, applicant }
  } catch (err) {
    if (err instanceof MalformedError) throw broken(path, err.message, err)
    throw err
  }
}

const hexOf = (artifact: Artifact): string => toHex(encodeArtifact(artifact))

function artifactOf (text: unknown): Artifact {
  if (typeof text !== 'string') throw new MalformedError('an object is missing')
  return decodeArtifact(fromHex(text))
}

function broken (path: string, why: string, cause?: unknown): MalformedError {
  return new MalformedError(`${path} can't be used: ${why}`, { cause })
}

function domainField (path: string, value: unknown): Reference {
  if (typeof value !== 'string') throw broken(path, 'it names no domain')
  return parseDomain(value)
}

function read (path: string, format: string): Map<string, unknown> {
  let text: string
  try {
    if (statSync(path).size > MAX_BYTES) throw broken(path, `it is larger than ${MAX_BYTES} bytes`)
    text = readFileSync(path, 'utf8')
  } catch (err) {
    if (err instanceof DiadError) throw err
    throw new DiadError('unreadable', `${path} can't be read (${errorCode(err)})`, 'check the path', { cause: err })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (err) {
    throw broken(path, 'it is not JSON', err)
  }
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  if (fields.get('format') !== format) throw broken(path, `it is no ${format}`)
  if (fields.get('version') !== VERSION) throw new DiadError('needs-upgrade', `${path} was written by a newer diad`, 'update diad')
  return fields
}

function write (path: string, value: object): void {
  try {
    createFile(path, JSON.stringify(value, null, 2) + '\n', 0o644)
  } catch (err) {
    if (errorCode(err) === 'EEXIST') throw new DiadError('file-exists', `${path} is there already`, 'name a new file')
    throw new DiadError('unwritable', `${path} can't be written (${errorCode(err)})`, 'check the path', { cause: err })
  }
}
