/**
 * What is held about one lane: its signed heads, the log behind them, the bodies, and at most one proof of equivocation. A set: whatever order
 * its parts come in, the same parts give the same contents. Source: RULES L3, K2, E1-E6.
 */
import type { Hash, PublicKey, Reference } from '../substrate/reference.js'
import { type Signature, signatureCodec, signatureHolds } from '../substrate/signature.js'
import { type Branch, evidenceHolds, type ForkEvidence, forkEvidenceCodec, makeEvidence, principalId } from '../publication/evidence.js'
import { type Lane, type Snapshot, snapshotCodec } from '../publication/lane.js'
import { bodyHash, hasBody, LEAF_BYTES, readLeaf } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'

/** A Snapshot whose signature by the lane's own principal was verified. Made only by {@link LaneKnowledge.head}. */
export interface Head {
  readonly ref: Reference
  readonly snapshot: Snapshot
  readonly signature: Signature
  /** the Signature artifact's Reference */
  readonly signatureRef: Reference
}

export interface HeldBranch {
  head: Head
  readonly log: LeafLog
}

export type Extension =
  | { readonly result: 'extended', readonly branch: HeldBranch }
  | { readonly result: 'old' }
  /** the bytes don't lead to the head's root: the server lies, or the logs differ (E2 finds out which) */
  | { readonly result: 'mismatch' }
  /** the first leaf given lies beyond what is held */
  | { readonly result: 'gap' }

/**
 * Heads that nothing names and no branch ends in, kept per lane, the newest. They are hints (not linked to a held log) or superseded. No rule demands
 * an old head before something names it; whoever names one holds and serves it (K2, A3), so one that was dropped comes back with its name. The few
 * that are kept save that round trip where a vouch names the head before last, and bound what a key can make us hold by signing heads.
 */
const MAX_LOOSE_HEADS = 16

export class LaneKnowledge {
  /** Logs held, each complete up to its head. One, but for anchors that name another branch. */
  readonly branches: HeldBranch[] = []
  /** Heads by Reference in the order they came: those of branches, those named by cuts and vouches, and a few loose ones. */
  readonly heads = new Map<Reference, Head>()
  /** changed by {@link setBody} and {@link dropBody} only */
  readonly bodies = new Map<Hash, Uint8Array>()
  evidence: ForkEvidence | undefined
  /** of `evidence` as an artifact */
  evidenceRef: Reference | undefined
  /** heads off our log whose first difference from it is known to be no less than what is proven */
  readonly compared = new Set<Reference>()
  /** control objects let go since somebody last emptied this list: what lies in the store under them can go */
  readonly gone: Reference[] = []
  /** counts changes, so that a view of the lane is computed once for each */
  version = 0
  /** counts bodies that were dropped: what was judged with one of them is judged again */
  drops = 0
  /** heads that the last {@link trim} had to keep */
  private kept = 0

  /** `index`: where to note which lane holds a head, the signature of one, or a proof; of a whole domain, so that one lookup finds each. */
  constructor (readonly ref: Reference, readonly lane: Lane, private readonly index = new Map<Reference, LaneKnowledge>()) {}

  /** The greatest head whose log is held, on any branch. */
  get held (): number {
    return this.branches.reduce((n, b) => Math.max(n, b.head.snapshot.log_size), 0)
  }

  /** The key that signs this lane, once any head is held. */
  get publicKey (): PublicKey | undefined {
    for (const h of this.heads.values()) return h.signature.public_key
    return this.evidence?.public_key
  }

  /** The head whose signature artifact `ref` is. */
  signedBy (ref: Reference): Head | undefined {
    for (const h of this.heads.values()) if (h.signatureRef === ref) return h
    return undefined
  }

  /** Checks S1 and makes a Head, or says which code refuses it. */
  head (snapshot: Snapshot, signature: Signature): Head | 'bad-signature' {
    const ref = snapshotCodec.reference(snapshot)
    const known = this.heads.get(ref)
    if (known !== undefined) return known
    const fits = snapshot.lane === this.ref && signature.target === ref && signature.purpose === 'snapshot' &&
      principalId(signature.public_key) === this.lane.principal && signatureHolds(signature)
    return fits ? { ref, snapshot, signature, signatureRef: signatureCodec.reference(signature) } : 'bad-signature'
  }

  /** Keeps a head. Returns whether it is new. */
  addHead (head: Head): boolean {
    if (this.heads.has(head.ref)) return false
    this.put(head)
    return true
  }

  private put (head: Head): void {
    this.heads.set(head.ref, head)
    this.index.set(head.ref, this).set(head.signatureRef, this)
    this.version++
  }

  private letGo (ref: Reference): void {
    this.index.delete(ref)
    this.gone.push(ref)
    this.version++
  }

  /** Takes everything of this lane out of the index: the lane itself is let go. */
  leave (): void {
    for (const head of this.heads.values()) {
      this.index.delete(head.ref)
      this.index.delete(head.signatureRef)
    }
    if (this.evidenceRef !== undefined) this.index.delete(this.evidenceRef)
  }

  /**
   * A key can make any number of signatures over one head; all nodes keep the one with the smallest Reference, or their inventories would differ for
   * ever. Returns whether `signature`, which is `ref`, took the place of the one held; 'bad-signature' when it doesn't verify.
   */
  resign (held: Head, signature: Signature, ref: Reference): boolean | 'bad-signature' {
    if (ref >= held.signatureRef || signature.purpose !== 'snapshot' || signature.public_key !== held.signature.public_key) return false
    if (!signatureHolds(signature)) return 'bad-signature'
    const head: Head = { ...held, signature, signatureRef: ref }
    this.put(head)
    this.letGo(held.signatureRef)
    for (const b of this.branches) if (b.head.ref === head.ref) b.head = head
    return true
  }

  /** How many heads came since the last {@link trim} made room; it is time for the next one from {@link MAX_LOOSE_HEADS} on. */
  get crowd (): number {
    return this.heads.size - this.kept
  }

  get crowded (): boolean {
    return this.crowd > MAX_LOOSE_HEADS
  }

  /** Lets go of the oldest loose heads. What `keeps` says (named by a cut, a vouch or `previous`, or served) stays, whatever else comes. */
  trim (keeps: (head: Reference) => boolean): void {
    const inUse = new Set(this.branches.map((b) => b.head.ref))
    const loose = [...this.heads.values()].filter((h) => !inUse.has(h.ref) && !keeps(h.ref))
    this.kept = this.heads.size - loose.length
    for (const head of loose.slice(0, Math.max(0, loose.length - MAX_LOOSE_HEADS))) {
      this.heads.delete(head.ref)
      this.compared.delete(head.ref)
      this.letGo(head.ref)
      this.letGo(head.signatureRef)
    }
  }

  /**
   * Puts `leaves` (n x 42 bytes) starting at index `from` behind the log of `branch` and accepts `offered` if the result hashes to its root.
   * Without `branch` the leaves start a branch of their own and `from` must be 0.
   */
  extend (offered: Head, from: number, leaves: Uint8Array, branch?: HeldBranch): Extension {
    // The one held may carry another signature by now.
    const head = this.heads.get(offered.ref) ?? offered
    const size = head.snapshot.log_size
    const have = branch?.log.size ?? 0
    if (from > have) return { result: 'gap' }
    if (branch !== undefined && size <= have) return { result: liesOn(branch.log, head) ? 'old' : 'mismatch' }
    const fresh = leaves.subarray((have - from) * LEAF_BYTES)
    if (have + fresh.length / LEAF_BYTES !== size) return { result: 'gap' }
    const log = branch?.log ?? new LeafLog()
    log.append(fresh)
    if (log.root() !== head.snapshot.log_root || readLeaf(log.leaf(size - 1))?.logseq !== head.snapshot.logseq) {
      log.truncate(have)
      return { result: 'mismatch' }
    }
    this.version++
    const grown = branch ?? this.addBranch({ head, log })
    if (branch !== undefined) branch.head = head
    this.addHead(head)
    return { result: 'extended', branch: grown }
  }

  /** A further branch always comes with the proof that it is one (E1): the comparison is made here, so it can't be forgotten. */
  private addBranch (added: HeldBranch): HeldBranch {
    for (const other of this.branches) {
      const index = firstDifference(other.log, added.log)
      if (index < Math.min(other.log.size, added.log.size)) this.addEvidence(proof(this.ref, index, other, added))
      else {
        // Two pulls brought the same log, one of them further.
        if (added.log.size > other.log.size) {
          other.log.append(added.log.leaves(other.log.size, added.log.size))
          other.head = added.head
        }
        return other
      }
    }
    this.branches.push(added)
    return added
  }

  /** E3: exactly one proof, the smallest index; among equals the smaller Reference. Returns whether it replaced what was held. */
  addEvidence (e: ForkEvidence): boolean {
    if (e.lane !== this.ref || principalId(e.public_key) !== this.lane.principal) return false
    const held = this.evidence
    if (held !== undefined) {
      if (e.index > held.index) return false
      if (e.index === held.index && forkEvidenceCodec.reference(e) >= (this.evidenceRef as Reference)) return false
    }
    if (!evidenceHolds(e)) return false
    if (this.evidenceRef !== undefined) this.letGo(this.evidenceRef)
    this.evidence = e
    this.evidenceRef = forkEvidenceCodec.reference(e)
    this.index.set(this.evidenceRef, this)
    this.version++
    return true
  }

  /** Keeps a body if a held leaf names it. Returns its hash, or undefined when no held leaf asks for these bytes. */
  addBody (branch: HeldBranch, index: number, payload: Uint8Array): Hash | undefined {
    const hash = index < branch.log.size ? bodyOfLeaf(branch.log.leaf(index), payload) : undefined
    if (hash !== undefined) this.setBody(hash, payload)
    return hash
  }

  /** For a payload that {@link bodyOfLeaf} has checked. */
  setBody (hash: Hash, payload: Uint8Array): void {
    this.bodies.set(hash, payload)
    this.version++
  }

  dropBody (hash: Hash): void {
    if (this.bodies.delete(hash)) this.drops++
    this.version++
  }
}

/** The hash under which `payload` is the body of these 42 bytes, or undefined when it isn't. */
export function bodyOfLeaf (bytes: Uint8Array, payload: Uint8Array): Hash | undefined {
  const leaf = readLeaf(bytes)
  return leaf !== undefined && hasBody(leaf.kind) && bodyHash(leaf.kind, payload) === leaf.body_hash ? leaf.body_hash : undefined
}

/**
 * on: the head's leaves are the first ones of the log. off: they aren't. false: they are, but the head claims another logseq than its last leaf has
 * (S1): it lies on no log, so nothing rests on it. beyond: the log is too short to tell.
 */
export type Link = 'on' | 'off' | 'false' | 'beyond'

/** A log only grows, so what was told once of a head and a log stays true; a root costs a dozen hashes, and views ask for every head every time. */
const links = new WeakMap<Head, WeakMap<LeafLog, Link>>()

export function linkOf (log: LeafLog, head: Head): Link {
  const { log_size: size, log_root: root, logseq } = head.snapshot
  if (log.size < size) return 'beyond'
  let ofHead = links.get(head)
  if (ofHead === undefined) links.set(head, ofHead = new WeakMap())
  let link = ofHead.get(log)
  if (link === undefined) {
    link = log.root(size) !== root ? 'off' : readLeaf(log.leaf(size - 1))?.logseq === logseq ? 'on' : 'false'
    ofHead.set(log, link)
  }
  return link
}

export const liesOn = (log: LeafLog, head: Head): boolean => linkOf(log, head) === 'on'

/** Whether a held log shows that the head lies about its last leaf. */
export const isRefuted = (lane: LaneKnowledge, head: Head): boolean => lane.branches.some((b) => linkOf(b.log, head) === 'false')

/** The first index at which two logs differ, or the smaller size. */
export function firstDifference (a: LeafLog, b: LeafLog): number {
  let low = 0
  let high = Math.min(a.size, b.size)
  // Invariant: the prefixes of `low` leaves are equal; those of more than `high` aren't known to be.
  while (low < high) {
    const mid = Math.ceil((low + high) / 2)
    if (a.root(mid) === b.root(mid)) low = mid
    else high = mid - 1
  }
  return low
}

export function branchOf (head: Head, leafHash: Hash, path: Hash[]): Branch {
  const { log_size, log_root, logseq } = head.snapshot
  return { log_size, log_root, logseq, signature: head.signature.signature, leaf_hash: leafHash, path }
}

function proof (lane: Reference, index: number, x: HeldBranch, y: HeldBranch): ForkEvidence {
  const side = (b: HeldBranch): Branch => branchOf(b.head, b.log.leafHash(index), b.log.inclusion(index, b.head.snapshot.log_size))
  return makeEvidence(lane, x.head.signature.public_key, index, side(x), side(y))
}
