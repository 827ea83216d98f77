/**
 * How a domain's knowledge lies in the key-value map: what is written when something was accepted, and how it is read back. Everything of one
 * change goes into one batch, so the head is never there without its leaves (RULES L3, THREATS 28). Reading judges anew: the disk isn't trusted.
 */
import { decodeArtifact, encodeArtifact } from '../substrate/artifact.js'
import { concatBytes, fromHex, readU64, toHex, writeU64 } from '../substrate/bytes.js'
import { decodeCbor, encodeCbor } from '../substrate/codec.js'
import { DiadError, MalformedError } from '../substrate/errors.js'
import { type Kv, type KvOp, KEYSPACE } from '../substrate/ports.js'
import { digestOf, type Hash, type Reference, referenceBytes, referenceFromBytes } from '../substrate/reference.js'
import { bool, list, oneOf, struct, text, type TypeOf } from '../substrate/shape.js'
import { LEAF_BYTES } from '../publication/leaf.js'
import { bodyOfLeaf, type HeldBranch, type LaneKnowledge } from '../authority/lane-knowledge.js'
import { DomainKnowledge } from '../authority/knowledge.js'
import { signatureCodec } from '../substrate/signature.js'
import { snapshotCodec } from '../publication/lane.js'
import { placesOf } from './body-index.js'

export const MODES = ['follow', 'mirror'] as const
export type Mode = typeof MODES[number]

const recordShape = struct({
  /** follow = leaves and evidence; mirror = content too */
  mode: oneOf(...MODES),
  /** our own domain */
  own: bool,
  /** no longer followed; what is held stays */
  dormant: bool,
  /** addresses where the domain was found */
  peers: list(text(256), { max: 64 })
})
/** What this node does with a domain. */
export type DomainRecord = TypeOf<typeof recordShape>

const key = (space: number, ...parts: Uint8Array[]): Uint8Array => concatBytes(Uint8Array.of(space), ...parts)
const digest = (ref: Reference): Uint8Array => fromHex(digestOf(ref))

/** The first key after all that start with `prefix`. No prefix of ours ends in 0xff bytes only. */
function after (prefix: Uint8Array): Uint8Array {
  const out = prefix.slice()
  let i = out.length - 1
  while (i >= 0 && out[i] === 0xff) out[i--] = 0
  if (i >= 0) out[i] = (out[i] as number) + 1
  return out
}

function scan (kv: Kv, prefix: Uint8Array): AsyncIterable<[Uint8Array, Uint8Array]> {
  return kv.entries(prefix, after(prefix))
}

function leafKey (lane: Reference, branch: number, index: number): Uint8Array {
  const tail = new Uint8Array(9)
  tail[0] = branch
  writeU64(tail, 1, index)
  return key(KEYSPACE.leaf, digest(lane), tail)
}

export function recordOp (domain: Reference, record: DomainRecord): KvOp {
  return { type: 'put', key: key(KEYSPACE.domain, digest(domain)), value: encodeCbor(recordShape, record, 'domain record') }
}

/** Where a control object lies. */
export function controlKey (domain: Reference, ref: Reference): Uint8Array {
  return key(KEYSPACE.control, digest(domain), referenceBytes(ref))
}

/** Ops for control objects that were admitted. */
export function controlOps (k: DomainKnowledge, refs: Iterable<Reference>): KvOp[] {
  const out: KvOp[] = []
  for (const ref of refs) {
    const artifact = k.artifact(ref)
    if (artifact !== undefined) k.persisted.add(ref)
    if (artifact !== undefined) out.push({ type: 'put', key: controlKey(k.domain, ref), value: encodeArtifact(artifact) })
  }
  return out
}

/**
 * Ops for whatever became part of the domain's state and isn't in the store yet, however it came to be relevant, and for what ceased to be: heads and
 * proofs that were overtaken, bodies that an anchored erasure ended.
 */
export function unpersistedOps (k: DomainKnowledge): KvOp[] {
  return [...controlOps(k, k.inventory().filter((r) => !k.persisted.has(r))), ...goneOps(k), ...erasedOps(k)]
}

/** Ends the store's copy of control objects that memory let go: a head is in the store only while it is held, or every start would read them all. */
function goneOps (k: DomainKnowledge): KvOp[] {
  const out: KvOp[] = []
  for (const lane of k.lanes.values()) {
    for (const ref of lane.gone.splice(0)) {
      if (!k.has(ref) && k.persisted.delete(ref)) out.push({ type: 'del', key: controlKey(k.domain, ref) })
    }
  }
  return out
}

/** R7: drops bodies whose erasure lies under an anchor, unless another leaf of the lane that isn't erased names the same bytes. */
function erasedOps (k: DomainKnowledge): KvOp[] {
  const out: KvOp[] = []
  const { droppable, lanes } = k.view()
  for (const place of droppable) {
    const at = place.indexOf('/')
    const v = lanes.get(place.slice(0, at) as Reference)
    if (v?.log === undefined) continue
    const hash = toHex(v.log.leaf(Number(place.slice(at + 1))).subarray(10)) as Hash
    if (!v.knowledge.bodies.has(hash)) continue
    if (placesOf(v.log, hash).some((i) => !droppable.has(`${v.knowledge.ref}/${i}`))) continue
    v.knowledge.dropBody(hash)
    out.push({ type: 'del', key: key(KEYSPACE.body, digest(v.knowledge.ref), fromHex(hash)) })
  }
  return out
}

/** Ops for a log that grew from `from` leaves to its head, with the bodies held of those leaves. */
export function branchOps (k: DomainKnowledge, lane: LaneKnowledge, branch: HeldBranch, from: number): KvOp[] {
  const number = lane.branches.indexOf(branch)
  const out: KvOp[] = []
  for (let i = from; i < branch.log.size; i++) {
    const leaf = branch.log.leaf(i)
    out.push({ type: 'put', key: leafKey(lane.ref, number, i), value: leaf })
    const hash = toHex(leaf.subarray(10)) as Hash
    const body = lane.bodies.get(hash)
    if (body !== undefined) out.push(bodyOp(lane.ref, hash, body))
  }
  out.push({ type: 'put', key: key(KEYSPACE.tip, digest(lane.ref), Uint8Array.of(number)), value: referenceBytes(branch.head.ref) })
  out.push(...controlOps(k, [lane.ref, branch.head.ref, branch.head.signatureRef]), ...goneOps(k))
  return out
}

export function bodyOp (lane: Reference, hash: Hash, payload: Uint8Array): KvOp {
  return { type: 'put', key: key(KEYSPACE.body, digest(lane), fromHex(hash)), value: payload }
}

export function wholeOp (domain: Reference, root: Reference): KvOp {
  return { type: 'put', key: key(KEYSPACE.whole, digest(domain), digest(root)), value: new Uint8Array(0) }
}

export function isWhole (kv: Kv, domain: Reference, root: Reference): boolean {
  return kv.get(key(KEYSPACE.whole, digest(domain), digest(root))) !== undefined
}

/** All domains this home knows, with what it does with each. */
export async function loadRecords (kv: Kv): Promise<Map<Reference, DomainRecord>> {
  const out = new Map<Reference, DomainRecord>()
  for await (const [k, value] of scan(kv, Uint8Array.of(KEYSPACE.domain))) {
    const domain = referenceFromBytes(concatBytes(Uint8Array.of(0, 1), k.subarray(1)))
    out.set(domain, decodeCbor(recordShape, value, 'domain record'))
  }
  return out
}

/**
 * Reads everything held about `domain` and judges it anew. Throws DiadError `store-damaged` naming the place where what lies there isn't what was
 * accepted once.
 */
export async function loadKnowledge (kv: Kv, domain: Reference): Promise<DomainKnowledge> {
  const k = new DomainKnowledge(domain)
  k.reading = true
  const damaged = (what: string, cause?: unknown): DiadError =>
    new DiadError('store-damaged', `the store's ${what} of domain ${domain.slice(4, 16)} is damaged`, 'keep a copy of the store, then start a fresh home and sync again', { cause })
  const heads: Array<[Uint8Array, Uint8Array]> = []
  for await (const [at, value] of scan(kv, key(KEYSPACE.control, digest(domain)))) {
    k.persisted.add(referenceFromBytes(at.subarray(33)))
    try {
      const artifact = decodeArtifact(value)
      if (artifact.typeTag === snapshotCodec.tag || artifact.typeTag === signatureCodec.tag) heads.push([at, value])
      else if (k.admit(artifact).result === 'rejected') throw damaged('control object')
    } catch (err) {
      if (err instanceof MalformedError) throw damaged('control object', err)
      throw err
    }
  }
  // Heads come last, so that none of them has to wait for its lane in a bounded pool; snapshots and signatures alternate by target.
  for (const [snapshot, signature] of pairs(heads)) {
    if (k.admit(snapshot).result === 'rejected') throw damaged('head')
    if (signature !== undefined && k.admit(signature).result === 'rejected') throw damaged('head')
  }
  for (const lane of k.lanes.values()) await loadLane(kv, lane, damaged)
  k.reading = false
  k.touch()
  return k
}

function * pairs (stored: Array<[Uint8Array, Uint8Array]>): Generator<[ReturnType<typeof decodeArtifact>, ReturnType<typeof decodeArtifact> | undefined]> {
  const snapshots = new Map<Reference, ReturnType<typeof decodeArtifact>>()
  const signatures = new Map<Reference, ReturnType<typeof decodeArtifact>>()
  const loose: Array<ReturnType<typeof decodeArtifact>> = []
  for (const [at, value] of stored) {
    const artifact = decodeArtifact(value)
    if (artifact.typeTag === snapshotCodec.tag) snapshots.set(referenceFromBytes(at.subarray(33)), artifact)
    else {
      const signature = signatureCodec.from(artifact)
      if (signature.purpose === 'snapshot') signatures.set(signature.target, artifact)
      else loose.push(artifact)
    }
  }
  for (const artifact of loose) yield [artifact, undefined]
  for (const [ref, artifact] of snapshots) yield [artifact, signatures.get(ref)]
}

async function loadLane (kv: Kv, lane: LaneKnowledge, damaged: (what: string) => DiadError): Promise<void> {
  for await (const [at, value] of scan(kv, key(KEYSPACE.tip, digest(lane.ref)))) {
    const head = lane.heads.get(referenceFromBytes(value))
    if (head === undefined) throw damaged('head')
    const leaves = new Uint8Array(head.snapshot.log_size * LEAF_BYTES)
    let next = 0
    for await (const [where, leaf] of scan(kv, key(KEYSPACE.leaf, digest(lane.ref), at.subarray(33)))) {
      if (readU64(where, where.length - 8) !== next || leaf.length !== LEAF_BYTES || next >= head.snapshot.log_size) throw damaged('log')
      leaves.set(leaf, next * LEAF_BYTES)
      next++
    }
    if (next !== head.snapshot.log_size || lane.extend(head, 0, leaves).result !== 'extended') throw damaged('log')
  }
  const bodies = new Map<string, Uint8Array>()
  for await (const [at, value] of scan(kv, key(KEYSPACE.body, digest(lane.ref)))) bodies.set(toHex(at.subarray(33)), value)
  // A body that isn't what its leaf names is as good as none: it counts as missing and is fetched again.
  for (const { log } of lane.branches) {
    for (let i = 0; i < log.size && bodies.size > 0; i++) {
      const bytes = log.leaf(i)
      const hash = toHex(bytes.subarray(10))
      const value = bodies.get(hash)
      if (value === undefined) continue
      bodies.delete(hash)
      if (bodyOfLeaf(bytes, value) !== undefined) lane.setBody(hash as Hash, value)
    }
  }
}
