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

/** Heads seen but not linked to a held log are only hints; a flood of them must not cost memory. */
const MAX_LOOSE_HEADS = 16

export class LaneKnowledge {
  /** Logs held, each complete up to its head. One, but for anchors that name another branch. */
  readonly branches: HeldBranch[] = []
  /** Heads by Reference: those of branches, those named by cuts and vouches, and a few not yet linked. */
  readonly heads = new Map<Reference, Head>()
  readonly bodies = new Map<Hash, Uint8Array>()
  evidence: ForkEvidence | undefined
  /** heads off our log whose first difference from it is known to be no less than what is proven */
  readonly compared = new Set<Reference>()
  private readonly loose: Reference[] = []

  constructor (readonly ref: Reference, readonly lane: Lane) {}

  /** The greatest head whose log is held, on any branch. */
  get held (): number {
    return this.branches.reduce((n, b) => Math.max(n, b.head.snapshot.log_size), 0)
  }

  /** The key that signs this lane, once any head is held. */
  get publicKey (): PublicKey | undefined {
    for (const h of this.heads.values()) return h.signature.public_key
    return this.evidence?.public_key
  }

  /** Checks S1 and makes a Head, or says which code refuses it. */
  head (snapshot: Snapshot, signature: Signature): Head | 'bad-signature' {
    const ref = snapshotCodec.reference(snapshot)
    const known = this.heads.get(ref)
    if (known !== undefined) return known
    const fits = snapshot.lane === this.ref && signature.target === ref && signature.purpose === 'snapshot' &&
      principalId(signature.public_key) === this.lane.principal && signatureHolds(signature)
    return fits ? { ref, snapshot, signature } : 'bad-signature'
  }

  /** Keeps a head. `named` = a cut or vouch names it, so it must not be dropped for room. Returns whether it is new. */
  addHead (head: Head, named = false): boolean {
    if (this.heads.has(head.ref)) return false
    this.heads.set(head.ref, head)
    if (!named) {
      this.loose.push(head.ref)
      if (this.loose.length > MAX_LOOSE_HEADS) this.dropLoose()
    }
    return true
  }

  private dropLoose (): void {
    const inUse = new Set(this.branches.map((b) => b.head.ref))
    // The smallest first: a greater head shows everything a smaller one does.
    this.loose.sort((a, b) => (this.heads.get(a)?.snapshot.log_size ?? 0) - (this.heads.get(b)?.snapshot.log_size ?? 0))
    const victim = this.loose.findIndex((r) => !inUse.has(r))
    if (victim < 0) return
    const [ref] = this.loose.splice(victim, 1) as [Reference]
    this.heads.delete(ref)
    this.compared.delete(ref)
  }

  /** A named head stays, whatever else comes. */
  keepHead (ref: Reference): void {
    const at = this.loose.indexOf(ref)
    if (at >= 0) this.loose.splice(at, 1)
  }

  /**
   * Puts `leaves` (n x 42 bytes) starting at index `from` behind the log of `branch` and accepts `head` if the result hashes to its root.
   * Without `branch` the leaves start a branch of their own and `from` must be 0.
   */
  extend (head: Head, from: number, leaves: Uint8Array, branch?: HeldBranch): Extension {
    const size = head.snapshot.log_size
    const have = branch?.log.size ?? 0
    if (from > have) return { result: 'gap' }
    if (branch !== undefined && size <= have) return { result: branch.log.root(size) === head.snapshot.log_root ? 'old' : 'mismatch' }
    const fresh = leaves.subarray((have - from) * LEAF_BYTES)
    if (have + fresh.length / LEAF_BYTES !== size) return { result: 'gap' }
    const log = branch?.log ?? new LeafLog()
    log.append(fresh)
    if (log.root() !== head.snapshot.log_root || readLeaf(log.leaf(size - 1))?.logseq !== head.snapshot.logseq) {
      log.truncate(have)
      return { result: 'mismatch' }
    }
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
      if (e.index === held.index && forkEvidenceCodec.reference(e) >= forkEvidenceCodec.reference(held)) return false
    }
    if (!evidenceHolds(e)) return false
    this.evidence = e
    return true
  }

  /** Keeps a body if a held leaf names it. Returns its hash, or undefined when no held leaf asks for these bytes. */
  addBody (branch: HeldBranch, index: number, payload: Uint8Array): Hash | undefined {
    const leaf = index < branch.log.size ? readLeaf(branch.log.leaf(index)) : undefined
    if (leaf === undefined || !hasBody(leaf.kind) || bodyHash(leaf.kind, payload) !== leaf.body_hash) return undefined
    this.bodies.set(leaf.body_hash, payload)
    return leaf.body_hash
  }
}

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

/** The Signature artifact's Reference of a head. */
export function headSignatureReference (head: Head): Reference {
  return signatureCodec.reference(head.signature)
}
