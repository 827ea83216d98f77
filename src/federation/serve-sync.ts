/**
 * The answering side of /diad/sync/1: reads what is held and gives only what the domain exports. One answer by one path for everything that isn't
 * there, is internal or is none of the asker's business (RULES V3, L2).
 */
import { encodeArtifact } from '../substrate/artifact.js'
import { toHex } from '../substrate/bytes.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { hasBody, LEAF_BYTES, readLeaf } from '../publication/leaf.js'
import { PUBLISHED } from '../publication/lane.js'
import { shownLog } from '../authority/domain-view.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { LeafLog } from '../publication/leaf-log.js'
import type { LaneKnowledge } from '../authority/lane-knowledge.js'
import { LIMITS } from '../substrate/limits.js'
import { placesOf } from './body-index.js'
import { type SyncAnswer, type SyncRequest, WIRE } from './messages.js'

/** where there is nothing to give the hash of */
export const NO_HASH = '0'.repeat(64) as Hash

/** A log that may be shown up to `size`. */
export interface Served {
  readonly lane: LaneKnowledge
  readonly log: LeafLog
  readonly size: number
  /** leaves below it are shown with their bodies; what isn't exported isn't, though a cut shows that it is there */
  readonly bodies: number
  /** leaves whose bodies aren't shown (R7), as `lane/index` */
  readonly erased: ReadonlySet<string>
}

/**
 * The log behind a head that we serve, or undefined. Any head that we still hold will do, though the inventory lists but the greatest: a publisher
 * whose log grows while somebody reads it would otherwise take away the head that the reader proves its answers against.
 */
export function servedLog (k: DomainKnowledge, laneRef: Reference, headRef: Reference): Served | undefined {
  const view = k.view()
  const v = view.lanes.get(laneRef)
  if (v?.log === undefined || (!v.considered && v.exported === 0)) return undefined
  const head = v.knowledge.heads.get(headRef)
  const shown = head === undefined ? undefined : shownLog(v, head, view)
  return head === undefined || shown === undefined ? undefined : { lane: v.knowledge, ...shown, size: head.snapshot.log_size, erased: view.erased }
}

/** Leaves from `from` with their bodies, as many as one answer holds. */
export function leafAnswer (s: Served, from: number, maxBytes: number = WIRE.answerBytes): { leaves: Uint8Array, bodies: Uint8Array[], to: number } {
  const bodies: Uint8Array[] = []
  let to = from
  let bytes = 0
  while (to < s.size && to - from < LIMITS.rangeLeaves && bytes < maxBytes) {
    const leaf = readLeaf(s.log.leaf(to))
    const shown = to < s.bodies && leaf !== undefined && hasBody(leaf.kind) && !(s.erased.size > 0 && s.erased.has(`${s.lane.ref}/${to}`))
    const body = shown ? s.lane.bodies.get(leaf.body_hash) : undefined
    bodies.push(body ?? new Uint8Array(0))
    bytes += LEAF_BYTES + (body?.length ?? 0)
    to++
  }
  return { leaves: s.log.leaves(from, to), bodies, to }
}

/** Bodies by hash, as many as one answer holds: only what a leaf names that is shown with its body, and isn't erased. */
function bodiesOf (k: DomainKnowledge, laneRef: Reference, hashes: readonly Hash[]): Array<{ index: number, body: Uint8Array }> {
  const view = k.view()
  const { erased } = view
  const v = view.lanes.get(laneRef)
  const out: Array<{ index: number, body: Uint8Array }> = []
  if (v?.log === undefined || v.knowledge.lane.visibility !== PUBLISHED) return out
  // As many as come with the leaves themselves, for those who had these from others, who may have shown less.
  const end = k.served(laneRef).reduce((n, head) => {
    const shown = shownLog(v, head, view)
    return shown !== undefined && shown.log === v.log ? Math.max(n, shown.bodies) : n
  }, v.exported)
  let bytes = 0
  for (const hash of hashes) {
    const body = v.knowledge.bodies.get(hash)
    if (body === undefined || bytes > WIRE.answerBytes) continue
    const index = placesOf(v.log, hash).find((at) => at < end && !erased.has(`${laneRef}/${at}`))
    if (index === undefined) continue
    out.push({ index, body })
    bytes += body.length
  }
  return out
}

/** `k` is undefined where the domain isn't held or isn't shown to this peer. */
export function answer (k: DomainKnowledge | undefined, request: SyncRequest): SyncAnswer {
  const { id } = request
  switch (request.t) {
    case 'inventory': {
      if (k === undefined) return { t: 'inventory-answer', id, status: 'unknown', digest: NO_HASH, refs: [], more: false }
      const digest = k.inventoryDigest()
      if (digest === request.known) return { t: 'inventory-answer', id, status: 'same', digest, refs: [], more: false }
      const after = toHex(request.after)
      const all = k.inventory()
      const from = all.findIndex((r) => r > after)
      const refs = from < 0 ? [] : all.slice(from, from + WIRE.inventoryRefs)
      return { t: 'inventory-answer', id, status: 'held', digest, refs, more: from >= 0 && all.length > from + refs.length }
    }
    case 'objects': {
      const offered = k?.offered()
      const artifacts: Uint8Array[] = []
      let bytes = 0
      for (const ref of request.refs) {
        const artifact = offered?.has(ref) === true ? k?.artifact(ref) : undefined
        if (artifact === undefined || bytes > WIRE.answerBytes) continue
        const encoded = encodeArtifact(artifact)
        bytes += encoded.length
        artifacts.push(encoded)
      }
      return { t: 'objects-answer', id, artifacts }
    }
    case 'leaves': {
      const s = k === undefined ? undefined : servedLog(k, request.lane, request.head)
      if (s === undefined || request.from >= s.size) return { t: 'leaves-answer', id, from: request.from, leaves: new Uint8Array(0), bodies: [], path: [] }
      const { leaves, bodies, to } = leafAnswer(s, request.from)
      return { t: 'leaves-answer', id, from: request.from, leaves, bodies, path: to === s.size ? [] : s.log.consistency(to, s.size) }
    }
    case 'bodies': return { t: 'bodies-answer', id, bodies: k === undefined ? [] : bodiesOf(k, request.lane, request.hashes) }
    case 'proofs': {
      const s = k === undefined ? undefined : servedLog(k, request.lane, request.head)
      const sizes = s === undefined ? [] : request.sizes.filter((n) => n <= s.size)
      return { t: 'proofs-answer', id, proofs: sizes.map((size) => ({ size, path: (s as Served).log.consistency(size, (s as Served).size) })) }
    }
    case 'inclusion': {
      const s = k === undefined ? undefined : servedLog(k, request.lane, request.head)
      if (s === undefined || request.index >= s.size) return { t: 'inclusion-answer', id, leaf_hash: NO_HASH, path: [] }
      return { t: 'inclusion-answer', id, leaf_hash: s.log.leafHash(request.index), path: s.log.inclusion(request.index, s.size) }
    }
  }
}
