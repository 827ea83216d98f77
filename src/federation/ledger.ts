/**
 * How a domain's knowledge lies in the key-value map: what is written when something was accepted, and how it is read back. Everything of one
 * change goes into one batch, so the head is never there without its leaves (RULES L3, THREATS 28). Reading judges anew: the disk isn't trusted.
 */
import { type Artifact, decodeArtifact, encodeArtifact } from '../substrate/artifact.js'
import { concatBytes, fromHex, joinBytes, readU64, toHex, writeU64 } from '../substrate/bytes.js'
import { decodeCbor, encodeCbor } from '../substrate/codec.js'
import { DiadError, MalformedError } from '../substrate/errors.js'
import { referenceKey } from '../substrate/pack-format.js'
import { type Kv, type KvOp, KEYSPACE } from '../substrate/ports.js'
import { digestOf, type Hash, type Reference, referenceBytes, referenceFromBytes } from '../substrate/reference.js'
import { bool, list, oneOf, type Shape, struct, text, type TypeOf, uint } from '../substrate/shape.js'
import { LEAF_BYTES, namesContent, readBody, readLeaf } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { bodyOfLeaf, type HeldBranch, liesOn, type LaneKnowledge } from '../authority/lane-knowledge.js'
import { DomainKnowledge } from '../authority/knowledge.js'
import { signatureCodec } from '../substrate/signature.js'
import { forkEvidenceCodec } from '../publication/evidence.js'
import { snapshotCodec } from '../publication/lane.js'
import { placesOf } from './body-index.js'

export const MODES = ['follow', 'mirror'] as const
export type Mode = typeof MODES[number]

const recordFields = {
  /** follow = leaves and evidence; mirror = content too */
  mode: oneOf(...MODES),
  /** our own domain */
  own: bool,
  /** no longer followed; what is held stays */
  dormant: bool,
  /** addresses where the domain was found */
  peers: list(text(256), { max: 64 })
}
const recordShape = struct(recordFields)
/** Records without a quota stay as they always were. */
const leasedShape = struct({ ...recordFields, quota: uint() })
/** What this node does with a domain. `quota`: bytes of content that it may be charged (quota.ts). */
export type DomainRecord = TypeOf<typeof recordShape> & { quota?: number }
const eitherShape: Shape<DomainRecord> = {
  encode (record, out) {
    if (record.quota === undefined) recordShape.encode(record, out)
    else leasedShape.encode(record as Required<DomainRecord>, out)
  },
  decode: (item) => typeof item === 'object' && item !== null && Object.hasOwn(item, 'quota') ? leasedShape.decode(item) : recordShape.decode(item)
}

const key = (space: number, ...parts: Uint8Array[]): Uint8Array => concatBytes(Uint8Array.of(space), ...parts)
const digest = (ref: Reference): Uint8Array => fromHex(digestOf(ref))

/** The first key after all that start with `prefix`. No prefix of ours ends in 0xff bytes only. */
export function after (prefix: Uint8Array): Uint8Array {
  const out = prefix.slice()
  let i = out.length - 1
  while (i >= 0 && out[i] === 0xff) out[i--] = 0
  if (i >= 0) out[i] = (out[i] as number) + 1
  return out
}

export function scan (kv: Pick<Kv, 'entries'>, prefix: Uint8Array): AsyncIterable<[Uint8Array, Uint8Array]> {
  return kv.entries(prefix, after(prefix))
}

function leafKey (lane: Reference, branch: number, index: number): Uint8Array {
  const tail = new Uint8Array(9)
  tail[0] = branch
  writeU64(tail, 1, index)
  return key(KEYSPACE.leaf, digest(lane), tail)
}

export function recordOp (domain: Reference, record: DomainRecord): KvOp {
  return { type: 'put', key: key(KEYSPACE.domain, digest(domain)), value: encodeCbor(eitherShape, record, 'domain record') }
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
 * Ops for whatever became part of the domain's state and isn't in the store yet, however it came to be relevant, for the heads that held logs end in,
 * and for what ceased to be: heads and proofs that were overtaken, bodies that an anchored erasure ended.
 */
export function unpersistedOps (k: DomainKnowledge): KvOp[] {
  return [...controlOps(k, k.inventory().filter((r) => !k.persisted.has(r))), ...[...k.lanes.values()].flatMap((l) => tipOps(k, l)), ...goneOps(k), ...erasedOps(k)]
}

/**
 * Ops for the heads that the lane's logs end in, with the signatures they carry now. Not all of them are in the inventory, and a log whose head can't be
 * read is worth nothing.
 */
function tipOps (k: DomainKnowledge, lane: LaneKnowledge): KvOp[] {
  const out: KvOp[] = []
  for (const { head } of lane.branches) out.push(...controlOps(k, [lane.ref, head.ref, head.signatureRef].filter((r) => !k.persisted.has(r))))
  return out
}

/** Ends the store's copy of control objects that memory let go: a head is in the store only while it is held, or every start would read them all. */
function goneOps (k: DomainKnowledge): KvOp[] {
  const out: KvOp[] = []
  for (const lane of k.lanes.values()) {
    if (lane.gone.length === 0) continue
    // What goes may be the signature of a head that stays: the one in its place is written in the same batch.
    out.push(...tipOps(k, lane))
    for (const ref of lane.gone.splice(0)) {
      if (!k.has(ref) && k.persisted.delete(ref)) out.push({ type: 'del', key: controlKey(k.domain, ref) })
    }
  }
  for (const ref of k.objects.gone.splice(0)) if (!k.has(ref) && k.persisted.delete(ref)) out.push({ type: 'del', key: controlKey(k.domain, ref) })
  // Whoever has the roots can sign any number of moves: those that are overtaken or taken back end here, or a disk would keep them all (M8).
  for (const ref of k.objects.surplusMoves(k.domain)) if (k.persisted.delete(ref)) out.push({ type: 'del', key: controlKey(k.domain, ref) })
  return out
}

/** R7: drops bodies whose erasure lies under an anchor, unless another leaf of the lane that isn't erased names the same bytes. */
function erasedOps (k: DomainKnowledge): KvOp[] {
  const out: KvOp[] = []
  const { droppable, lanes } = k.view()
  // Hashes that a leaf which isn't erased names too: looked at once, not once for each erased leaf of the same body.
  const kept = new Set<string>()
  for (const place of droppable) {
    const at = place.indexOf('/')
    const v = lanes.get(place.slice(0, at) as Reference)
    if (v?.log === undefined) continue
    const hash = toHex(v.log.leaf(Number(place.slice(at + 1))).subarray(10)) as Hash
    if (!v.knowledge.bodies.has(hash) || kept.has(`${v.knowledge.ref}/${hash}`)) continue
    if (placesOf(v.log, hash).some((i) => !droppable.has(`${v.knowledge.ref}/${i}`))) {
      kept.add(`${v.knowledge.ref}/${hash}`)
      continue
    }
    const root = contentOf(v.log.leaf(Number(place.slice(at + 1))), v.knowledge.bodies.get(hash))
    // Afterwards nothing here says any more what the leaf named.
    if (root !== undefined) out.push(erasedRootOp(k.domain, root, 'dropped'))
    v.knowledge.dropBody(hash)
    out.push({ type: 'del', key: key(KEYSPACE.body, digest(v.knowledge.ref), fromHex(hash)) })
  }
  return out
}

/** What a publish or lift leaf names, given its 42 bytes and its body; undefined for every other leaf. */
export function contentOf (leaf: Uint8Array, payload: Uint8Array | undefined): Reference | undefined {
  const kind = readLeaf(leaf)?.kind
  const body = kind === undefined || payload === undefined ? undefined : readBody(kind, payload)
  return namesContent(body) ? body.ref : undefined
}

/** held-back: its blocks aren't shown; dropped: the body that named it is gone for good (R7), and so shall be what only it reached. */
export type ErasedRoot = 'held-back' | 'dropped'

const erasedKey = (domain: Reference, root: Reference): Uint8Array => key(KEYSPACE.erased, digest(domain), digest(root))

/** Without `state`: it is no longer among them. */
export function erasedRootOp (domain: Reference, root: Reference, state?: ErasedRoot): KvOp {
  return state === undefined ? { type: 'del', key: erasedKey(domain, root) } : { type: 'put', key: erasedKey(domain, root), value: Uint8Array.of(state === 'dropped' ? 2 : 1) }
}

/** A domain needs the block no more, for which it was here: it goes once no domain does (garbage.ts). `own`: our own domain. */
export function givenUpOp (ref: Reference, own: boolean): KvOp {
  return { type: 'put', key: referenceKey(KEYSPACE.givenUp, ref), value: Uint8Array.of(own ? 1 : 0) }
}

/** The ops after which a block that was put by hand stays, though no record names it and whoever gave it up before. */
export function putOps (kv: Pick<Kv, 'get'>, ref: Reference): KvOp[] {
  const [put, givenUp] = [KEYSPACE.put, KEYSPACE.givenUp].map((space) => referenceKey(space, ref)) as [Uint8Array, Uint8Array]
  return [
    ...kv.get(put) === undefined ? [{ type: 'put' as const, key: put, value: new Uint8Array(0) }] : [],
    ...kv.get(givenUp) === undefined ? [] : [{ type: 'del' as const, key: givenUp }]
  ]
}

/** Content roots that erased leaves named, as far as something was done or is to be done about them. */
export async function erasedRoots (kv: Kv, domain: Reference): Promise<Map<Reference, ErasedRoot>> {
  const out = new Map<Reference, ErasedRoot>()
  for await (const [at, value] of scan(kv, key(KEYSPACE.erased, digest(domain)))) {
    out.set(referenceFromBytes(concatBytes(Uint8Array.of(0, 1), at.subarray(33))), value[0] === 2 ? 'dropped' : 'held-back')
  }
  return out
}

/** Under which number each branch lies in the store: where one wasn't read back, that isn't its place in memory. */
const numbers = new WeakMap<HeldBranch, number>()

function freeNumber (lane: LaneKnowledge): number {
  const taken = new Set(lane.branches.map((b) => numbers.get(b)))
  let number = 0
  while (taken.has(number)) number++
  return number
}

/** Ops for a log that grew from `from` leaves to its head, with the bodies held of those leaves. One that was never written is written from its start. */
export function branchOps (k: DomainKnowledge, lane: LaneKnowledge, branch: HeldBranch, from: number): KvOp[] {
  const known = numbers.get(branch)
  const number = known ?? freeNumber(lane)
  numbers.set(branch, number)
  const out: KvOp[] = []
  for (let i = known === undefined ? 0 : from; i < branch.log.size; i++) {
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

/** Ends what {@link wholeOp} said. */
export function unwholeOp (domain: Reference, root: Reference): KvOp {
  return { type: 'del', key: key(KEYSPACE.whole, digest(domain), digest(root)) }
}

/** The ops after which nothing says any more which content of the domain is here, or isn't: for whoever gave all of it up. */
export async function noContentOps (kv: Kv, domain: Reference): Promise<KvOp[]> {
  const out: KvOp[] = []
  for (const space of [KEYSPACE.whole, KEYSPACE.erased, KEYSPACE.over]) for await (const [at] of scan(kv, key(space, digest(domain)))) out.push({ type: 'del', key: at })
  return out
}

export function isWhole (kv: Kv, domain: Reference, root: Reference): boolean {
  return kv.get(key(KEYSPACE.whole, digest(domain), digest(root))) !== undefined
}

/** All domains this home knows, with what it does with each. */
export async function loadRecords (kv: Kv): Promise<Map<Reference, DomainRecord>> {
  const out = new Map<Reference, DomainRecord>()
  for await (const [k, value] of scan(kv, Uint8Array.of(KEYSPACE.domain))) {
    const domain = referenceFromBytes(concatBytes(Uint8Array.of(0, 1), k.subarray(1)))
    out.set(domain, decodeCbor(eitherShape, value, 'domain record'))
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
  const proofs: Artifact[] = []
  for await (const [at, value] of scan(kv, key(KEYSPACE.control, digest(domain)))) {
    k.persisted.add(referenceFromBytes(at.subarray(33)))
    try {
      const artifact = decodeArtifact(value)
      if (artifact.typeTag === snapshotCodec.tag || artifact.typeTag === signatureCodec.tag) heads.push([at, value])
      else if (artifact.typeTag === forkEvidenceCodec.tag) proofs.push(artifact)
      else if (k.admit(artifact).result === 'rejected') throw damaged('control object')
    } catch (err) {
      if (err instanceof MalformedError) throw damaged('control object', err)
      throw err
    }
  }
  for (const proof of proofs) if (k.admit(proof).result === 'rejected') throw damaged('evidence')
  // Heads come last, so that none of them has to wait for its lane in a bounded pool; snapshots and signatures alternate by target.
  for (const artifact of pairs(heads)) if (k.admit(artifact).result === 'rejected') throw damaged('head')
  for (const lane of k.lanes.values()) await loadLane(kv, lane, damaged)
  k.reading = false
  k.touch()
  return k
}

/** Snapshots, each followed by its signatures; a key may have made several, and a crash may have left two (the smallest counts). */
function * pairs (stored: Array<[Uint8Array, Uint8Array]>): Generator<Artifact> {
  const snapshots = new Map<Reference, Artifact>()
  const signatures = new Map<Reference, Artifact[]>()
  for (const [at, value] of stored) {
    const artifact = decodeArtifact(value)
    const signature = artifact.typeTag === snapshotCodec.tag ? undefined : signatureCodec.from(artifact)
    if (signature === undefined) snapshots.set(referenceFromBytes(at.subarray(33)), artifact)
    else if (signature.purpose !== 'snapshot') yield artifact
    else {
      const others = signatures.get(signature.target)
      if (others === undefined) signatures.set(signature.target, [artifact])
      else others.push(artifact)
    }
  }
  for (const [ref, artifact] of snapshots) {
    yield artifact
    yield * signatures.get(ref) ?? []
  }
}

async function loadLane (kv: Kv, lane: LaneKnowledge, damaged: (what: string) => DiadError): Promise<void> {
  for await (const [at, value] of scan(kv, key(KEYSPACE.tip, digest(lane.ref)))) {
    const stored = at.subarray(33)
    const parts: Uint8Array[] = []
    for await (const [where, leaf] of scan(kv, key(KEYSPACE.leaf, digest(lane.ref), stored))) {
      // What lies beyond the head was cut off once.
      if (readU64(where, where.length - 8) !== parts.length || leaf.length !== LEAF_BYTES) break
      parts.push(leaf)
    }
    const log = new LeafLog()
    log.append(joinBytes(parts))
    const tip = lane.heads.get(referenceFromBytes(value))
    if (tip !== undefined && !liesOn(log, tip)) throw damaged('log')
    // Without its head a log goes back to the greatest one that is here; peers bring the rest. No lane of our own goes on from there: the marker, which
    // knows the head that is gone, doesn't agree (L4).
    const head = tip ?? [...lane.heads.values()].filter((h) => liesOn(log, h)).sort((a, b) => b.snapshot.log_size - a.snapshot.log_size)[0]
    if (head === undefined) continue
    const extended = lane.extend(head, 0, log.leaves(0, head.snapshot.log_size))
    if (extended.result !== 'extended') throw damaged('log')
    // Two that turn out to be one lie in full where the longer one does.
    if (extended.branch.head === head) numbers.set(extended.branch, stored[0] as number)
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
