/**
 * The two files that travel between domains, by whatever way: a nonce that the receiver hands out, and the request that comes back. A request brings the
 * applicant's root chain, manifests and policies along, so that it can be judged before anything else is known of that domain (D1). JSON, for any mail.
 */
import { readFileSync, statSync } from 'node:fs'
import { domainText, parseDomain } from '../../substrate/domain-id.js'
import { decodeArtifact, encodeArtifact, type Artifact } from '../../substrate/artifact.js'
import { fromHex, toHex } from '../../substrate/bytes.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { signatureCodec } from '../../substrate/signature.js'
import { type Brought, readBrought } from '../../authority/admission-brought.js'
import { admissionRequestCodec } from '../../authority/admission-objects.js'
import { inputFailure } from '../files/failure.js'
import { createFile, errorCode } from '../home/atomic-file.js'
import { plainFields } from '../home/json-fields.js'

const NONCE = 'diad-admission-nonce'
const REQUEST = 'diad-admission-request'
const VERSION = 1
/** bytes of a file that is read: a chain of some thousand manifests as hex */
const MAX_BYTES = 64 * 1024 * 1024

export interface NonceFile { readonly receiver: Reference, readonly nonce: string }

export interface RequestFile extends Brought {
  /** who brought it, where it came over the network */
  readonly peer?: string
}

/** Never over another file. Throws DiadError `file-exists`. */
export function writeNonceFile (path: string, { receiver, nonce }: NonceFile): void {
  write(path, { format: NONCE, version: VERSION, receiver: domainText(receiver), nonce })
}

/** Throws what {@link inputFailure} gives, `MalformedError`. */
export function readNonceFile (path: string): NonceFile {
  const fields = read(path, NONCE)
  const nonce = fields.get('nonce')
  if (typeof nonce !== 'string' || !/^[0-9a-f]{64}$/.test(nonce)) throw broken(path, 'it holds no nonce')
  return { receiver: domainField(path, fields.get('receiver')), nonce }
}

/** Never over another file. Throws DiadError `file-exists`. */
export function writeRequestFile (path: string, brought: RequestFile): void {
  write(path, requestFields(brought))
}

/** What a request file holds. */
export function requestText (brought: RequestFile): string {
  return textOf(requestFields(brought))
}

function requestFields ({ request, signature, objects, peer }: RequestFile): object {
  return {
    format: REQUEST,
    version: VERSION,
    applicant: domainText(request.applicant),
    ...(peer === undefined ? {} : { peer }),
    request: hexOf(admissionRequestCodec.artifact(request)),
    signature: hexOf(signatureCodec.artifact(signature)),
    objects: objects.map(hexOf)
  }
}

/** Throws what {@link inputFailure} gives, `MalformedError`. Of the objects that come along each counts for what it is. */
export function readRequestFile (path: string): RequestFile {
  const fields = read(path, REQUEST)
  try {
    const objects = fields.get('objects')
    const brought = readBrought(artifactOf(fields.get('request')), artifactOf(fields.get('signature')), (Array.isArray(objects) ? objects as unknown[] : []).map(artifactOf))
    const peer = fields.get('peer')
    return typeof peer === 'string' ? { ...brought, peer } : brought
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
    throw inputFailure(err, path)
  }
  let fields: Map<string, unknown>
  try {
    fields = plainFields(text)
  } catch (err) {
    throw broken(path, (err as MalformedError).message, err)
  }
  if (fields.get('format') !== format) throw broken(path, `it is no ${format}`)
  if (fields.get('version') !== VERSION) throw new DiadError('needs-upgrade', `${path} was written by a newer diad`, 'update diad')
  return fields
}

const textOf = (value: object): string => JSON.stringify(value, null, 2) + '\n'

function write (path: string, value: object): void {
  try {
    createFile(path, textOf(value), 0o644)
  } catch (err) {
    if (errorCode(err) === 'EEXIST') throw new DiadError('file-exists', `${path} is there already`, 'name a new file')
    throw err
  }
}
