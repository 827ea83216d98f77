/**
 * Reading a bundle, all but its content: what the file says becomes a knowledge of its own, as a peer would hold it, judged by the very code that judges
 * what peers send. The one that is held takes from it afterwards as it takes from any peer (bundle.ts), so a file can do nothing that a peer couldn't.
 * One pass; the order of RULES B3 is kept to, each range is proved by its signed head, each body is named by a leaf before it.
 */
import { type Artifact, decodeArtifact, referenceOfArtifactBytes } from '../substrate/artifact.js'
import { equalBytes, fromHex } from '../substrate/bytes.js'
import type { CarBlock } from '../substrate/car.js'
import { MalformedError } from '../substrate/errors.js'
import { digestOf, type Reference } from '../substrate/reference.js'
import { PUBLISHED } from '../publication/lane.js'
import { leafRangeCodec } from '../publication/leaf-range.js'
import { hasBody, LEAF_BYTES, readLeaf } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { verifyRange } from '../publication/merkle.js'
import { DomainKnowledge } from '../authority/knowledge.js'
import { bodyOfLeaf, type Head, type LaneKnowledge, linkOf, liesOn } from '../authority/lane-knowledge.js'
import { faultText } from './bundle-words.js'
import { CONTROL_BYTES, LOGS_OF_LANE, SECTION, type Section, sectionOf, SECTIONS } from './bundle-sections.js'
import { Staged } from './staging.js'

/** What was refused of a file, and where. */
export interface BundleFault {
  readonly code: string
  /** bytes of the file before it */
  readonly offset: number
  readonly ref: Reference | null
}

/** The file is refused as a whole. */
export class BundleRefused extends Error {
  constructor (readonly fault: BundleFault, text: string) {
    super(text)
  }
}

interface Growing { readonly lane: LaneKnowledge, readonly head: Head, readonly log: LeafLog }

export class BundleIntake {
  /** what the file says, as a peer would hold it */
  readonly knowledge: DomainKnowledge
  readonly noted: BundleFault[] = []
  readonly counts = { objects: 0, evidence: 0, lanes: 0, internal: 0, heads: 0, leaves: 0, bodies: 0 }
  private section: Section = SECTION.rootChain
  private controlBytes = 0
  private readonly staged: Staged
  private readonly proofs: Array<{ artifact: Artifact, offset: number }> = []
  private readonly offsets = new Map<Reference, number>()
  private offset = 0
  private heads = new Map<Reference, LaneKnowledge>()
  private growing: Growing | undefined
  /** logs in the order they came, with the first leaf that came */
  private readonly grown: Array<{ log: LeafLog, lane: LaneKnowledge, from: number }> = []
  /** where among them the next body may belong */
  private cursor = { at: 0, index: 0 }

  /** `base`: what is held already; the file may begin where that ends. Absent: nothing is. `internal`: it may hold internal lanes. */
  constructor (readonly domain: Reference, private readonly base: DomainKnowledge | undefined, private readonly internal: boolean) {
    this.knowledge = new DomainKnowledge(domain)
    // Nothing is dropped for room: what is bounded here is the file.
    this.knowledge.reading = true
    this.staged = new Staged(this.knowledge, {
      refuse: (code, ref) => { this.refuse(code, ref, this.offsets.get(ref) ?? this.offset) },
      note: (code, ref) => { this.noted.push({ code, offset: this.offsets.get(ref) ?? this.offset, ref }) },
      commit: () => undefined,
      evidence: () => undefined,
      digest: () => undefined
    })
  }

  private refuse (code: string, ref: Reference | null, offset = this.offset, text = faultText(code)): never {
    throw new BundleRefused({ code, offset, ref }, text)
  }

  /** Takes the next block. False when it is content, which is the caller's to check and keep. Throws {@link BundleRefused}. */
  take ({ offset, ref, bytes }: CarBlock): boolean {
    this.offset = offset
    try {
      const artifact = decodeArtifact(bytes)
      const section = sectionOf(artifact)
      if (section === undefined) this.refuse('unexpected-object', ref)
      if (section !== SECTION.blocks && referenceOfArtifactBytes(bytes) !== ref) this.refuse('reference-mismatch', ref)
      if (section < this.section) this.refuse('out-of-order', ref, offset, `${SECTIONS[section]} behind ${SECTIONS[this.section]}`)
      this.enter(section)
      if (section === SECTION.blocks) return false
      if (section === SECTION.ranges) this.takeRange(ref, artifact)
      else if (section === SECTION.bodies) this.takeBody(ref, artifact)
      else this.takeControl(ref, artifact, bytes.length)
      return true
    } catch (err) {
      // Bytes that aren't what they are called are refused as that first.
      if (err instanceof MalformedError) this.refuse(referenceOfArtifactBytes(bytes) === ref ? 'malformed' : 'reference-mismatch', ref, offset, err.message)
      throw err
    }
  }

  /** The end of the file, or of everything but content. */
  finish (offset: number): void {
    this.offset = offset
    this.enter(SECTION.blocks)
  }

  private enter (section: Section): void {
    const before = this.section
    if (section === before) return
    this.section = section
    if (before < SECTION.ranges && section >= SECTION.ranges) this.endControl()
    if (before < SECTION.bodies && section >= SECTION.bodies) this.endRanges()
    if (before < SECTION.blocks && section >= SECTION.blocks) this.endBodies()
  }

  private takeControl (ref: Reference, artifact: Artifact, bytes: number): void {
    this.controlBytes += bytes
    if (this.controlBytes > CONTROL_BYTES) this.refuse('too-large', ref, this.offset, `more than ${CONTROL_BYTES} bytes of authority, evidence, lanes and heads`)
    this.counts.objects++
    this.offsets.set(ref, this.offset)
    switch (this.section) {
      case SECTION.evidence:
        // A proof is judged with its lane, which comes behind it.
        this.counts.evidence++
        this.proofs.push({ artifact, offset: this.offset })
        return
      case SECTION.lanes: this.counts.lanes++; break
      case SECTION.heads: this.counts.heads++; break
      default:
    }
    this.staged.take(ref, artifact)
  }

  private endControl (): void {
    const k = this.knowledge
    this.staged.flush()
    for (const { artifact, offset } of this.proofs) {
      const { result, code, ref } = k.admit(artifact)
      if (result === 'rejected') this.refuse(code, ref, offset)
    }
    this.proofs.length = 0
    if (k.authority().tip === undefined) this.refuse(k.authority().state === 'ok' ? 'no-manifest' : k.authority().reason, this.domain, this.offset, 'the file doesn\'t hold the authority of its domain')
    for (const v of k.view().lanes.values()) {
      // L2: an internal lane is for the domain's own machines. One whose manifest doesn't name its principal has nothing to say (L1).
      if (v.knowledge.lane.visibility !== PUBLISHED) {
        if (!this.internal) this.refuse('internal-lane', v.knowledge.ref, this.offsets.get(v.knowledge.ref))
        this.counts.internal++
      }
      if (v.rights !== undefined) for (const head of v.knowledge.heads.keys()) this.heads.set(head, v.knowledge)
    }
  }

  private takeRange (ref: Reference, artifact: Artifact): void {
    const range = leafRangeCodec.from(artifact)
    const lane = this.heads.get(range.head)
    const head = lane?.heads.get(range.head)
    if (lane === undefined || head === undefined) return this.refuse('head-missing', ref)
    const { log_size: size, log_root: root } = head.snapshot
    if (!verifyRange({ leaves: range.leaves, first: range.first, size, path: range.path, root })) this.refuse('bad-range', ref)
    if (this.growing?.head !== head) {
      if (this.growing !== undefined) this.refuse('range-gap', ref, this.offset, 'a log ends before its head')
      if (lane.branches.some((b) => liesOn(b.log, head))) this.refuse('out-of-order', ref, this.offset, 'leaves of a log that is whole already')
      if (lane.branches.length >= LOGS_OF_LANE) this.refuse('out-of-order', ref, this.offset, `more than ${LOGS_OF_LANE} logs of one lane`)
      this.growing = { lane, head, log: this.logBelow(lane, range.first) ?? this.refuse('range-gap', ref, this.offset, `the file begins at leaf ${range.first} of a lane of which fewer are held; take a full bundle`) }
      this.grown.push({ log: this.growing.log, lane, from: range.first })
    }
    const { log } = this.growing
    if (log.size !== range.first) this.refuse('range-gap', ref)
    log.append(range.leaves)
    this.counts.leaves += range.leaves.length / LEAF_BYTES
    if (log.size < size) return
    this.growing = undefined
    // Every range was proved by the head; only leaves that were held here can differ.
    if (log.root() !== root) this.refuse('base-differs', ref, this.offset, 'what is held of a lane differs from what the file begins behind; take a full bundle')
    this.extend(lane, head, log, ref)
  }

  private extend (lane: LaneKnowledge, head: Head, log: LeafLog, ref: Reference): void {
    if (linkOf(log, head) === 'false' || lane.extend(head, 0, log.leaves(0, log.size)).result !== 'extended') this.refuse('bad-range', ref)
    this.knowledge.touch()
  }

  /** A log of the first `size` leaves, from what is held. */
  private logBelow (lane: LaneKnowledge, size: number): LeafLog | undefined {
    if (size === 0) return new LeafLog()
    const inForce = this.base?.view().lanes.get(lane.ref)?.branch
    // The one that the heads name which a receiver gives away.
    const held = [...inForce === undefined ? [] : [inForce], ...this.base?.lanes.get(lane.ref)?.branches ?? []].find((b) => b.log.size >= size)
    if (held === undefined) return undefined
    const log = held.log.clone()
    log.truncate(size)
    return log
  }

  private endRanges (): void {
    if (this.growing !== undefined) this.refuse('range-gap', this.growing.head.ref, this.offset, 'a log ends before its head')
    for (const lane of new Set(this.heads.values())) {
      const held = this.base?.lanes.get(lane.ref)
      // Nothing new of it: then the file rests on what is held.
      if (held !== undefined) this.takeHeld(lane, held)
      if (held !== undefined) copyBodies(held, lane)
    }
    this.knowledge.touch()
  }

  /** A3: heads that the domain names are passed on by those who have no log of them, too. What names them stands in bodies. */
  private endBodies (): void {
    this.knowledge.touch()
    const { named } = this.knowledge.view()
    for (const [head, lane] of this.heads) {
      if (lane.branches.length === 0 && !named.has(head)) this.refuse('range-gap', lane.ref, this.offset, 'the file leaves out the log of a lane that isn\'t held; take a full bundle')
    }
  }

  private takeHeld (lane: LaneKnowledge, held: LaneKnowledge): void {
    const heads = [...lane.heads.values()].sort((a, b) => b.snapshot.log_size - a.snapshot.log_size)
    for (const head of heads) {
      if (lane.branches.length >= LOGS_OF_LANE) return
      if (lane.branches.some((b) => liesOn(b.log, head))) continue
      const branch = held.branches.find((b) => liesOn(b.log, head))
      if (branch !== undefined) lane.extend(head, 0, branch.log.leaves(0, head.snapshot.log_size))
    }
  }

  /** Bodies come in the order of their leaves, so each is looked for from where the last one was: once over all leaves, without an index. */
  private takeBody (ref: Reference, { payload }: Artifact): void {
    const wanted = fromHex(digestOf(ref))
    const { cursor } = this
    for (; cursor.at < this.grown.length; cursor.at++, cursor.index = 0) {
      const { log, lane, from } = this.grown[cursor.at] as { log: LeafLog, lane: LaneKnowledge, from: number }
      if (cursor.index < from) cursor.index = from
      for (; cursor.index < log.size; cursor.index++) {
        const leaf = log.leaf(cursor.index)
        if (!equalBytes(leaf.subarray(10), wanted)) continue
        const hash = bodyOfLeaf(leaf, payload)
        if (hash === undefined) return this.refuse('unexpected-object', ref)
        // A copy: the payload may be a view into a large buffer.
        lane.setBody(hash, payload.slice())
        this.counts.bodies++
        cursor.index++
        return
      }
    }
    this.refuse('unexpected-object', ref, this.offset, 'a body that no leaf before it names')
  }
}

/** Bodies that were held already, for the leaves that the file doesn't bring again. */
function copyBodies (held: LaneKnowledge, lane: LaneKnowledge): void {
  for (const { log } of lane.branches) {
    for (let i = 0; i < log.size; i++) {
      const leaf = readLeaf(log.leaf(i))
      const body = leaf === undefined || !hasBody(leaf.kind) ? undefined : held.bodies.get(leaf.body_hash)
      if (leaf !== undefined && body !== undefined) lane.setBody(leaf.body_hash, body)
    }
  }
}
