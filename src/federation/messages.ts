/**
 * The messages of /diad/hello/1 and /diad/sync/1: strict DAG-CBOR maps told apart by `t`. Requests carry an `id` that the answer repeats.
 * Nothing here enters a verdict (RULES B5). Source: protocols/federation.md, wire section.
 */
import { decodeCbor, encodeCbor } from '../substrate/codec.js'
import { LIMITS } from '../substrate/limits.js'
import { recalled } from '../substrate/recall.js'
import { bool, bytes, hash, list, literal, oneOf, ref, type Shape, struct, text, type TypeOf, uint, union } from '../substrate/shape.js'

/** Bounds of one message; a peer that goes beyond is cut off before anything is allocated. */
export const WIRE = {
  /** bytes of any frame of hello and sync */
  frameBytes: 4 * 1024 * 1024,
  /** domains in one hello */
  helloDomains: 1024,
  /** references in one inventory page: 280 KiB */
  inventoryRefs: 8192,
  /** references asked for at once */
  objectRefs: 256,
  /** bytes of artifacts or bodies after which an answer stops; the rest is asked for again */
  answerBytes: 1024 * 1024,
  /** prefix sizes proved in one answer: 5 rounds find the first difference of logs of 10^7 leaves */
  proofSizes: 32,
  /** bytes of leaves and bodies that ride along with a gossiped head */
  gossipBytes: 64 * 1024
} as const

const id = uint(0xffffffff)
const artifactBytes = bytes(LIMITS.payloadBytes + 13, 9)
const path = list(hash, { max: LIMITS.proofHashes })
const bodyList = list(bytes(LIMITS.bodyBytes), { max: LIMITS.rangeLeaves })
const leafBytes = bytes(LIMITS.rangeLeaves * 42)

const hello = struct({
  t: literal('hello'),
  version: uint(0xffff, 1),
  agent: text(64),
  domains: list(struct({ domain: ref, digest: hash }), { max: WIRE.helloDomains, ascending: (d) => d.domain })
})

const inventory = struct({ t: literal('inventory'), id, domain: ref, known: hash, after: bytes(34) })
const inventoryAnswer = struct({
  t: literal('inventory-answer'),
  id,
  status: oneOf('held', 'same', 'unknown'),
  digest: hash,
  refs: list(ref, { max: WIRE.inventoryRefs, ascending: (r) => r }),
  more: bool
})
const objects = struct({ t: literal('objects'), id, domain: ref, refs: list(ref, { min: 1, max: WIRE.objectRefs, ascending: (r) => r }) })
const objectsAnswer = struct({ t: literal('objects-answer'), id, artifacts: list(artifactBytes, { max: WIRE.objectRefs }) })
const leaves = struct({ t: literal('leaves'), id, domain: ref, lane: ref, head: ref, from: uint() })
const leavesAnswer = struct({ t: literal('leaves-answer'), id, from: uint(), leaves: leafBytes, bodies: bodyList, path })
const bodies = struct({ t: literal('bodies'), id, domain: ref, lane: ref, hashes: list(hash, { min: 1, max: WIRE.objectRefs, ascending: (h) => h }) })
const bodiesAnswer = struct({ t: literal('bodies-answer'), id, bodies: list(struct({ index: uint(), body: bytes(LIMITS.bodyBytes) }), { max: WIRE.objectRefs }) })
const proofs = struct({ t: literal('proofs'), id, domain: ref, lane: ref, head: ref, sizes: list(uint(Number.MAX_SAFE_INTEGER, 1), { min: 1, max: WIRE.proofSizes }) })
const proofsAnswer = struct({ t: literal('proofs-answer'), id, proofs: list(struct({ size: uint(), path }), { max: WIRE.proofSizes }) })
const inclusion = struct({ t: literal('inclusion'), id, domain: ref, lane: ref, head: ref, index: uint() })
const inclusionAnswer = struct({ t: literal('inclusion-answer'), id, leaf_hash: hash, path })

export type Hello = TypeOf<typeof hello>
export type SyncRequest = TypeOf<typeof inventory> | TypeOf<typeof objects> | TypeOf<typeof leaves> | TypeOf<typeof bodies> | TypeOf<typeof proofs> | TypeOf<typeof inclusion>
export type SyncAnswer = TypeOf<typeof inventoryAnswer> | TypeOf<typeof objectsAnswer> | TypeOf<typeof leavesAnswer> | TypeOf<typeof bodiesAnswer> |
  TypeOf<typeof proofsAnswer> | TypeOf<typeof inclusionAnswer>
export type AnswerTo<R extends SyncRequest> = Extract<SyncAnswer, { t: `${R['t']}-answer` }>

const gossip = struct({
  t: literal('head'),
  domain: ref,
  lane: artifactBytes,
  snapshot: artifactBytes,
  signature: artifactBytes,
  /** leaves from this index to the head's end, when they fit; empty otherwise */
  from: uint(),
  leaves: leafBytes,
  bodies: bodyList
})
const evidence = struct({ t: literal('evidence'), domain: ref, artifact: artifactBytes })
const changed = struct({ t: literal('changed'), domain: ref, digest: hash })
/** `head`: a new signed head. `evidence`: a proof that lowers the index. `changed`: something else did, come and pull. */
export type Gossip = TypeOf<typeof gossip> | TypeOf<typeof evidence> | TypeOf<typeof changed>

/** Messages told apart by `t`. */
export function byType<T extends { t: string }> (cases: Record<string, unknown>): Shape<T> {
  return union<T>((item) => (item as { t?: unknown } | null)?.t, (v) => v.t, Object.entries(cases) as Array<[unknown, Shape<never>]>)
}

const requestShape = byType<SyncRequest>({ inventory, objects, leaves, bodies, proofs, inclusion })
const answerShape = byType<SyncAnswer>({
  'inventory-answer': inventoryAnswer,
  'objects-answer': objectsAnswer,
  'leaves-answer': leavesAnswer,
  'bodies-answer': bodiesAnswer,
  'proofs-answer': proofsAnswer,
  'inclusion-answer': inclusionAnswer
})
const gossipShape = byType<Gossip>({ head: gossip, evidence, changed })

export const wire = <T>(shape: Shape<T>, name: string): { encode: (v: T) => Uint8Array, decode: (b: Uint8Array) => T } => ({
  encode: (v) => encodeCbor(shape, v, name),
  decode: (b) => decodeCbor(shape, b, name, WIRE.frameBytes)
})

export const helloWire = wire(hello, 'hello')
export const requestWire = wire(requestShape, 'sync request')
export const answerWire = wire(answerShape, 'sync answer')
const gossipOnce = wire(gossipShape, 'gossip')
/** One message goes to many. */
export const gossipWire = { encode: gossipOnce.encode, decode: recalled(gossipOnce.decode) }
