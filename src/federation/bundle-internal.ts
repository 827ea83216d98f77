/**
 * Internal lanes in a bundle: what a domain decided on others, handed from one of its machines to another in a file, and never in any other way (L2, D3).
 * Nobody else takes such a file in. The records that the lanes name go along, and the requests that those decided on; nothing else that is private here,
 * whatever a leaf names. None of it is ever marked as the domain's (V1): no leaf of a published lane makes it content by naming it.
 */
import { admissionRecordCodec, admissionRequestCodec } from '../authority/admission-objects.js'
import type { ViewedLane } from '../authority/domain-view.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Head } from '../authority/lane-knowledge.js'
import { cutsOf, hasRole } from '../authority/lane-view.js'
import { INTERNAL } from '../publication/lane.js'
import { type Artifact, decodeArtifact, encodeArtifact } from '../substrate/artifact.js'
import type { CarBlock } from '../substrate/car.js'
import { MalformedError } from '../substrate/errors.js'
import type { Reference } from '../substrate/reference.js'
import { type BlockReader, getUndamaged } from '../substrate/store.js'

/** What a file holds that is internal to its domain. */
export interface InternalAmount {
  readonly lanes: number
  /** decisions on other domains */
  readonly records: number
}

/** Those that a bundle for our own machines holds: of keys that may decide, whatever became of them since. */
export function internalLanes (k: DomainKnowledge): ViewedLane[] {
  return [...k.view().lanes.values()].filter((v) => v.knowledge.lane.visibility === INTERNAL && v.knowledge.branches.length > 0 && hasRole(v, 'federate'))
}

/** Of an internal lane: those that its logs end in, and those that cuts name (K4). */
export function internalHeads (v: ViewedLane, k: DomainKnowledge): Head[] {
  const cuts = new Set(cutsOf(v.knowledge, k.authority()).cuts.map((cut) => cut.snapshot))
  const ends = new Set(v.knowledge.branches.map((b) => b.head.ref))
  return [...v.knowledge.heads.values()].filter((h) => cuts.has(h.ref) || ends.has(h.ref))
}

/** Of `named` what are records, then the requests that those name; what isn't held, or is something else, isn't among them. */
export async function * decisionsOf (blocks: BlockReader, named: readonly Reference[]): AsyncGenerator<[ref: Reference, bytes: Uint8Array, kind: 'record' | 'request']> {
  const requests = new Set<Reference>()
  for (const ref of named) {
    const artifact = await getUndamaged(blocks, ref)
    const request = artifact === undefined ? undefined : requestOf(artifact)
    if (artifact === undefined || request === undefined) continue
    requests.add(request)
    yield [ref, encodeArtifact(artifact), 'record']
  }
  for (const ref of [...requests].sort()) {
    const artifact = await getUndamaged(blocks, ref)
    if (artifact !== undefined && isRequest(artifact)) yield [ref, encodeArtifact(artifact), 'request']
  }
}

/** Decisions of a file, told from its content. */
export class DecisionIntake {
  /** records that came */
  records = 0
  private readonly requests = new Set<Reference>()

  /** `named`: by the `admit` leaves of the file that count. `keep` gives false for bytes that aren't what they are called. */
  constructor (private readonly named: ReadonlySet<Reference>, private readonly keep: (ref: Reference, bytes: Uint8Array) => boolean) {}

  /** Whether the block is one, and is kept. `mismatch`: it isn't what it is called. */
  take ({ ref, bytes }: Pick<CarBlock, 'ref' | 'bytes'>): boolean | 'mismatch' {
    const isRecord = this.named.has(ref)
    if (!isRecord && !this.requests.has(ref)) return false
    const artifact = decodeArtifact(bytes)
    const request = isRecord ? requestOf(artifact) : undefined
    if (request === undefined && !isRequest(artifact)) return false
    if (!this.keep(ref, bytes)) return 'mismatch'
    if (request !== undefined) {
      this.requests.add(request)
      this.records++
    }
    return true
  }
}

/** What the record decided on; undefined for what is no record. */
function requestOf (artifact: Artifact): Reference | undefined {
  return read(() => admissionRecordCodec.from(artifact).request)
}

const isRequest = (artifact: Artifact): boolean => read(() => admissionRequestCodec.from(artifact)) !== undefined

function read<T> (from: () => T): T | undefined {
  try {
    return from()
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}
