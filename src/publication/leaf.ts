/**
 * Leaves: the 42 bytes that the Merkle log covers, and the salted bodies beside them. Source: RULES R1, R2, R6; SCHEMA Leaf.
 */
import { type Artifact, referenceOf } from '../substrate/artifact.js'
import { fromHex, readU16, readU64, toHex, writeU16, writeU64 } from '../substrate/bytes.js'
import { decodeCbor, encodeCbor } from '../substrate/codec.js'
import { MalformedError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import { recalled } from '../substrate/recall.js'
import { digestOf, type Hash } from '../substrate/reference.js'
import { hash, hex, ref, type Shape, struct, text, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { path } from './names.js'

export const LEAF_BYTES = 42

export const KIND = {
  publish: 1,
  tombstone: 2,
  lift: 3,
  erase: 4,
  receipt: 5,
  statement: 6,
  admit: 7,
  vouch: 8,
  tick: 9,
  close: 10
} as const
export type KindName = keyof typeof KIND

/** R6: kinds from here on are kept and skipped by nodes that don't know them. */
const SKIPPABLE_KIND = 0x8000
const KIND_NAMES = new Map<number, KindName>(Object.entries(KIND).map(([n, k]) => [k, n as KindName]))

export interface Leaf {
  readonly kind: number
  readonly logseq: number
  /** digest of the body artifact; zero for tick and close */
  readonly body_hash: Hash
}

export const NO_BODY = '0'.repeat(64) as Hash

export function kindName (kind: number): KindName | undefined {
  return KIND_NAMES.get(kind)
}

/** Whether a leaf of an unknown kind may be passed over (R6). */
export function isSkippable (kind: number): boolean {
  return kind >= SKIPPABLE_KIND
}

export function hasBody (kind: number): boolean {
  return kind !== KIND.tick && kind !== KIND.close && KIND_NAMES.has(kind)
}

export function encodeLeaf (leaf: Leaf): Uint8Array {
  const out = new Uint8Array(LEAF_BYTES)
  writeU16(out, 0, leaf.kind)
  writeU64(out, 2, leaf.logseq)
  out.set(fromHex(leaf.body_hash), 10)
  return out
}

/** Throws `MalformedError` on a wrong length or a logseq above 2^53-1. */
export function decodeLeaf (bytes: Uint8Array): Leaf {
  if (bytes.length !== LEAF_BYTES) throw new MalformedError(`a leaf has ${LEAF_BYTES} bytes, not ${bytes.length}`)
  return { kind: readU16(bytes, 0), logseq: readU64(bytes, 2), body_hash: toHex(bytes.subarray(10)) as Hash }
}

/** As {@link decodeLeaf}, undefined instead of a throw: a signed log may hold anything. */
export function readLeaf (bytes: Uint8Array): Leaf | undefined {
  try {
    return decodeLeaf(bytes)
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}

const salt = hex(16)
const named = struct({ salt, name: path, ref, mode: uint(0o7777) })
const bodies = {
  publish: named,
  tombstone: struct({ salt, name: path }),
  lift: named,
  erase: struct({ salt, lane: ref, index: uint(), leaf_hash: hash }),
  receipt: struct({ salt, ref }),
  statement: struct({ salt, type: text(1024, 1), ref }),
  admit: struct({ salt, ref }),
  vouch: struct({ salt, lane: ref, snapshot: ref })
}
export type BodyKind = keyof typeof bodies
export type BodyOf<K extends BodyKind> = TypeOf<typeof bodies[K]>
/** A decoded body with its kind beside it. */
export type Body = { [K in BodyKind]: { kind: K } & BodyOf<K> }[BodyKind]
/** A body as a caller gives it: the salt is drawn when it is appended. */
export type UnsaltedBody = Body extends infer B ? B extends { salt: string } ? Omit<B, 'salt'> : never : never

/** Whether it names content; a tombstone names nothing but a name. */
export function namesContent (body: Body | undefined): body is Extract<Body, { kind: 'publish' | 'lift' }> {
  return body?.kind === 'publish' || body?.kind === 'lift'
}

/** The payload of a body artifact; its type tag is `TAG.body + kind`. */
export function encodeBody (body: Body): Uint8Array {
  const { kind, ...fields } = body
  const payload = encodeCbor(bodies[kind] as unknown as Shape<unknown>, fields, `${kind} body`)
  if (payload.length > LIMITS.bodyBytes) throw new MalformedError(`a body has at most ${LIMITS.bodyBytes} bytes`)
  return payload
}

/** Throws `MalformedError`; `kind` must be one that has a body. */
export function decodeBody (kind: number, payload: Uint8Array): Body {
  const decode = decoders.get(kind)
  if (decode === undefined) throw new MalformedError(`leaf kind ${kind} has no body`)
  return decode(payload)
}

/** As {@link decodeBody}, undefined instead of a throw: a signed leaf may stand for any bytes. */
export function readBody (kind: number, payload: Uint8Array): Body | undefined {
  try {
    return decodeBody(kind, payload)
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}

const decoders = new Map(Object.entries(bodies).map(([name, shape]) => [
  KIND[name as BodyKind] as number,
  recalled((payload: Uint8Array) => ({ kind: name, ...decodeCbor(shape as unknown as Shape<object>, payload, `${name} body`, LIMITS.bodyBytes) }) as Body)
]))

export function bodyTag (kind: number): number {
  return TAG.body + kind
}

export function bodyHash (kind: number, payload: Uint8Array): Hash {
  return digestOf(referenceOf(bodyTag(kind), payload))
}

/** A leaf and the payload of its body, ready to be appended. */
export interface NewLeaf {
  readonly leaf: Leaf
  readonly body: Uint8Array | undefined
}

export function leafOf (logseq: number, body: Body): NewLeaf {
  const payload = encodeBody(body)
  const kind = KIND[body.kind]
  return { leaf: { kind, logseq, body_hash: bodyHash(kind, payload) }, body: payload }
}

export function bareLeaf (kind: 'tick' | 'close', logseq: number): NewLeaf {
  return { leaf: { kind: KIND[kind], logseq, body_hash: NO_BODY }, body: undefined }
}

export function bodyArtifact (kind: number, payload: Uint8Array): Artifact {
  return { typeTag: bodyTag(kind), payload }
}
