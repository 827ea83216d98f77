/**
 * What a conformance vector is, and how it is read from JSON: protocols/vectors/README.md is the page for it. A document is one vector, a list of them,
 * or `{parts, vectors}`, where "@name" stands for bytes that several vectors share.
 */
import { encodeArtifact } from '../../substrate/artifact.js'
import { fromHex, toHex } from '../../substrate/bytes.js'
import { MalformedError } from '../../substrate/errors.js'
import { isReference, type Reference } from '../../substrate/reference.js'

/** Bytes of an artifact, or bytes that came under a reference. */
export interface OfferedBytes {
  readonly bytes: Uint8Array
  readonly reference: Reference | undefined
}

/** The leaves of a lane up to a signed head, each with its body; a body of no bytes is not held. */
export interface OfferedLog {
  readonly head: Reference
  readonly leaves: Uint8Array
  readonly bodies: readonly Uint8Array[]
}

/** What is judged. Indexes count from 0 in the vector's own lists. */
export type Subject =
  /** the bytes of an artifact alone: well-formed for their type tag or not */
  | { readonly kind: 'shape', readonly index: number }
  /** what becomes of an artifact that comes when everything else is held */
  | { readonly kind: 'offer', readonly index: number }
  /** what becomes of a log that comes when everything else is held */
  | { readonly kind: 'log', readonly index: number }
  | { readonly kind: 'reference', readonly reference: Reference }
  | { readonly kind: 'record', readonly lane: Reference, readonly index: number }
  | { readonly kind: 'name', readonly name: string }
  | { readonly kind: 'domain' }
  /** whether the domain may decide on what the other one asks for (D1) */
  | { readonly kind: 'request', readonly request: Uint8Array, readonly signature: Uint8Array | undefined }
  /** what of the other domain enters the view of this one (D4, D5): all of it, or one name */
  | { readonly kind: 'admission' }
  | { readonly kind: 'admitted', readonly name: string }

/** What is held of a domain. */
interface Held {
  readonly artifacts: readonly OfferedBytes[]
  readonly logs: readonly OfferedLog[]
}

export interface Vector extends Held {
  readonly name: string
  readonly rule: string
  /** the code that this vector is about: the one it must get, or the one that it just misses */
  readonly code: string
  readonly domain: Reference | undefined
  /** the domain that asks the first one, or that the first one decided on */
  readonly other: (Held & { readonly domain: Reference }) | undefined
  /** what the first domain handed out for requests, each with the request that it was used for, if any */
  readonly nonces: ReadonlyMap<string, Reference | undefined>
  readonly subject: Subject
  readonly expect: Expectation | undefined
  /** as it was written, parts put in, without `expect`: what another implementation is given */
  readonly plain: Readonly<Record<string, unknown>>
}

/** What an implementation says of a vector. `view` = the digest of CURRENT (R4), where there is an authority to make one under. */
export interface Answer {
  readonly status: string
  readonly code: string
  readonly view?: string
  /** for `admission`: the names that enter the view, sorted; and the code of each that doesn't */
  readonly names?: readonly string[]
  readonly refused?: Readonly<Record<string, string>>
}

export type Expectation = Answer

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function object (value: unknown, where: string): Json {
  if (!isObject(value)) throw new MalformedError(`${where}: an object is needed`)
  return value
}

function text (from: Json, key: string, where: string): string {
  const value = from[key]
  if (typeof value !== 'string') throw new MalformedError(`${where}: "${key}" must be a text`)
  return value
}

function list (value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new MalformedError(`${where}: a list is needed`)
  return value as unknown[]
}

function referenceOf (value: unknown, where: string): Reference {
  if (typeof value !== 'string' || !isReference(value)) throw new MalformedError(`${where}: a reference of 68 hex digits is needed`)
  return value
}

function whole (value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new MalformedError(`${where}: a whole number is needed`)
  return value
}

/** ArtifactBytes given as tag and payload become hex, so that who reads vectors one by one knows two forms only. */
function artifactOf (value: unknown, where: string): unknown {
  if (!isObject(value) || !('payload' in value)) return value
  const tag = text(value, 'tag', where)
  if (!/^0x[0-9a-f]{8}$/.test(tag)) throw new MalformedError(`${where}: a tag is written like 0x0d1a0008`)
  return toHex(encodeArtifact({ typeTag: Number(tag), payload: bytesOf(value['payload'], where) }))
}

/** Hex, or a list of [hex, times]. */
function bytesOf (value: unknown, where: string): Uint8Array {
  if (typeof value === 'string') return fromHex(value)
  const parts = list(value, where).map((part) => {
    const [hex, times] = list(part, where)
    return typeof hex === 'string' ? hex.repeat(whole(times, where)) : ''
  })
  return fromHex(parts.join(''))
}

/** `value` with each text that begins with @ replaced by what `parts` says. */
function filled (value: unknown, parts: Json, where: string, depth = 0): unknown {
  if (typeof value === 'string' && value.startsWith('@')) {
    const part = Object.hasOwn(parts, value.slice(1)) ? parts[value.slice(1)] : undefined
    if (part === undefined) throw new MalformedError(`${where}: the document has no part "${value.slice(1)}"`)
    // A part may be a list of parts; those hold bytes.
    return depth === 0 ? filled(part, parts, where, 1) : part
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, parts, where, depth))
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, parts, where, depth)]))
  return value
}

function subjectOf (from: Json, where: string): Subject {
  const at = `${where}: subject`
  if ('shape' in from) return { kind: 'shape', index: whole(from['shape'], at) }
  if ('offer' in from) return { kind: 'offer', index: whole(from['offer'], at) }
  if ('log' in from) return { kind: 'log', index: whole(from['log'], at) }
  if ('reference' in from) return { kind: 'reference', reference: referenceOf(from['reference'], at) }
  if ('lane' in from) return { kind: 'record', lane: referenceOf(from['lane'], at), index: whole(from['index'], at) }
  if ('name' in from) return { kind: 'name', name: text(from, 'name', at) }
  if (from['domain'] === true) return { kind: 'domain' }
  if ('request' in from) return { kind: 'request', request: fromHex(text(from, 'request', at)), signature: from['signature'] === undefined ? undefined : fromHex(text(from, 'signature', at)) }
  if (from['admission'] === true) return { kind: 'admission' }
  if ('admitted' in from) return { kind: 'admitted', name: text(from, 'admitted', at) }
  throw new MalformedError(`${at}: one of shape, offer, log, reference, lane and index, name, domain, request, admission, admitted is needed`)
}

/** Lists of artifacts and logs with the parts put in, as they are written on. */
function plainHeld (from: Json, parts: Json, where: string): { artifacts: unknown[], logs: unknown } {
  // Names of people's making may begin with @, too; only these two hold bytes.
  return { artifacts: list(filled(from['artifacts'] ?? [], parts, where), where).map((a) => artifactOf(a, where)), logs: filled(from['logs'] ?? [], parts, where) }
}

function heldOf ({ artifacts, logs }: { artifacts: unknown[], logs: unknown }, where: string): Held {
  return {
    artifacts: artifacts.map((a) => isObject(a)
      ? { bytes: bytesOf(a['bytes'], where), reference: referenceOf(a['reference'], where) }
      : { bytes: bytesOf(a, where), reference: undefined }),
    logs: list(logs, where).map((l) => {
      const log = object(l, where)
      return { head: referenceOf(log['head'], where), leaves: bytesOf(log['leaves'], where), bodies: list(log['bodies'] ?? [], where).map((b) => bytesOf(b, where)) }
    })
  }
}

function noncesOf (value: unknown, where: string): Map<string, Reference | undefined> {
  return new Map(Object.entries(object(value, where)).map(([nonce, used]) => {
    if (!/^[0-9a-f]{64}$/.test(nonce)) throw new MalformedError(`${where}: a nonce is 64 hex digits`)
    return [nonce, used === null ? undefined : referenceOf(used, where)]
  }))
}

/** Throws `MalformedError`. */
export function answerOf (said: Json, where: string): Answer {
  const { view, names, refused } = said
  return {
    status: text(said, 'status', where),
    code: text(said, 'code', where),
    ...(typeof view === 'string' ? { view } : {}),
    ...(names === undefined ? {} : { names: list(names, where).map(String) }),
    ...(refused === undefined ? {} : { refused: Object.fromEntries(Object.entries(object(refused, where)).map(([name, code]) => [name, String(code)])) })
  }
}

/** One vector. Throws `MalformedError` that names it. */
export function readVector (json: unknown, parts: Json = {}): Vector {
  const raw = object(json, 'a vector')
  const name = text(raw, 'name', 'a vector')
  const where = `vector "${name}"`
  const own = plainHeld(raw, parts, where)
  const { expect, ...rest } = raw
  const another = raw['other'] === undefined ? undefined : object(raw['other'], where)
  const other = another === undefined ? undefined : { domain: referenceOf(another['domain'], where), ...plainHeld(another, parts, where) }
  return {
    name,
    rule: text(raw, 'rule', where),
    code: text(raw, 'code', where),
    domain: raw['domain'] === undefined ? undefined : referenceOf(raw['domain'], where),
    ...heldOf(own, where),
    other: other === undefined ? undefined : { domain: other.domain, ...heldOf(other, where) },
    nonces: noncesOf(raw['nonces'] ?? {}, where),
    subject: subjectOf(object(raw['subject'], where), where),
    expect: expect === undefined ? undefined : answerOf(object(expect, where), where),
    plain: { ...rest, ...own, ...(other === undefined ? {} : { other }) }
  }
}

/** Every vector of a JSON document. Throws `MalformedError`. */
export function readDocument (json: unknown): Vector[] {
  if (Array.isArray(json)) return json.map((one) => readVector(one))
  const document = object(json, 'a document')
  if (!('vectors' in document)) return [readVector(document)]
  const parts = document['parts'] === undefined ? {} : object(document['parts'], 'parts')
  return list(document['vectors'], 'vectors').map((one) => readVector(one, parts))
}
