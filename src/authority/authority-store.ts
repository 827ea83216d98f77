/** The held authority objects of a domain together with the questions that keeping, fetching and bounding them asks. Source: RULES B3, R5. */
import type { Artifact } from '../substrate/artifact.js'
import { NONE, type PublicKey, type Reference, referenceOfHash } from '../substrate/reference.js'
import { type AuthorityPurpose, HeldObjects } from './held-objects.js'
import type { JudgedManifest } from './judge-manifest.js'
import { type Authority, resolveAuthority } from './manifest-chain.js'
import type { JudgedEntry } from './root-chain.js'
import { signatureCodec } from '../substrate/signature.js'
import { TAG } from '../substrate/type-tags.js'
import type { Verdict } from './verdict.js'

/**
 * Anybody can make objects that carry the domain's name, and keys to sign with. What no valid link leads to from the genesis, and no key of the domain
 * signed, is held in this number only. Dropping it can't change a verdict, since only objects that valid links lead to count; one that will count
 * is offered again by whoever holds it for good, and stays as soon as the signature that makes it count is here. So a chain of any length
 * comes through in a few rounds, in whatever order and with whatever beside it.
 */
const LOOSE = { objects: 2048, bytes: 8 * 1024 * 1024, signatures: 8192 } as const
/** signatures over one target by keys that don't count, before room is made, and after */
const OF_TARGET = { most: 128, kept: 64 } as const

/**
 * What of roots and manifests lies off the accepted chains once authority is settled: kept in this many bytes, small manifests before large ones, since
 * nobody but a thief makes many, or large ones. Two nodes that have seen all of it keep the same; nothing rests on the rest.
 */
const OFF_CHAIN = { entries: 1024 * 1024, manifests: 4 * 1024 * 1024, small: 16 * 1024 } as const

export class AuthorityObjects extends HeldObjects {
  /** objects let go since somebody last emptied this list: what lies in the store under them can go */
  readonly gone: Reference[] = []
  /** what had to be kept when room was last made: all that came since may be loose */
  private settled = { objects: 0, bytes: 0, signatures: 0 }
  private linked: { revision: number, domain: Reference, refs: readonly Reference[] } | undefined

  /** `bounded`: whether anything may go now. While a store is read, what links to what shows only when all is there. */
  constructor (domain?: Reference, private readonly bounded: () => boolean = () => true) {
    super(domain)
  }

  override add (ref: Reference, artifact: Artifact): 'added' | 'known' | Verdict {
    const out = super.add(ref, artifact)
    if (out !== 'added' || this.domain === undefined || !this.bounded()) return out
    if (artifact.typeTag === TAG.signature) this.boundTarget(this.domain, signatureCodec.from(artifact).target)
    const objects = this.artifacts.size - this.signatureCount
    const { settled } = this
    if (objects - settled.objects > LOOSE.objects || this.bytes - settled.bytes > LOOSE.bytes || this.signatureCount - settled.signatures > LOOSE.signatures) this.makeRoom(this.domain)
    return out
  }

  /** Drops the oldest loose objects down to three quarters of the bounds, so that looking for them stays rare. */
  private makeRoom (domain: Reference): void {
    const keep = this.keepers(domain)
    const loose: Reference[] = []
    const signatures: Reference[] = []
    const settled = { objects: 0, bytes: 0, signatures: 0 }
    let bytes = 0
    for (const [ref, { typeTag, payload }] of this.artifacts) {
      const signature = typeTag === TAG.signature
      if (keep.has(ref)) {
        settled[signature ? 'signatures' : 'objects']++
        settled.bytes += payload.length
      } else {
        if (signature) signatures.push(ref)
        else loose.push(ref)
        bytes += payload.length
      }
    }
    this.settled = settled
    for (const ref of signatures.slice(0, Math.max(0, signatures.length - LOOSE.signatures * 3 / 4))) {
      bytes -= this.artifacts.get(ref)?.payload.length ?? 0
      this.drop(ref)
    }
    let left = loose.length
    for (const ref of loose) {
      if (left <= LOOSE.objects * 3 / 4 && bytes <= LOOSE.bytes * 3 / 4) break
      bytes -= this.artifacts.get(ref)?.payload.length ?? 0
      this.drop(ref)
      left--
    }
  }

  protected override drop (ref: Reference): void {
    super.drop(ref)
    this.gone.push(ref)
  }

  /** What is linked to the genesis, or may be once more has come: named by it, or signed by keys that only the domain's owners have. */
  private keepers (domain: Reference): Set<Reference> {
    const out = new Set<Reference>(this.relevant(domain))
    const genesis = this.rootEntries.get(domain)
    if (genesis !== undefined) {
      out.add(domain).add(genesis.root_set).add(genesis.certificate)
      const certificate = this.certificates.get(genesis.certificate)
      if (certificate !== undefined) out.add(referenceOfHash(certificate.policy_hash))
    }
    const keys = new Set<PublicKey>()
    // Once authority is settled, what keys of ended epochs sign is nothing that may be linked yet.
    const authority = resolveAuthority(this, domain)
    const top = isSettled(authority) ? authority.rootChain.entries.at(-1)?.ref : undefined
    for (const [ref, entry] of this.rootEntries) {
      if (!out.has(ref) || (top !== undefined && ref !== top)) continue
      for (const key of this.rootSets.get(entry.root_set)?.root_keys ?? []) keys.add(key)
      const certificate = this.certificates.get(entry.certificate)
      if (certificate !== undefined) keys.add(certificate.subject_pubkey)
    }
    for (const ref of this.signaturesBy(keys)) out.add(ref)
    for (const [ref, manifest] of this.manifests) {
      if (!keys.has(manifest.root_key) || this.signature(ref, 'manifest', manifest.root_key) === undefined) continue
      out.add(ref)
      for (let at = manifest.cuts; at !== NONE && !out.has(at); at = this.cutLists.get(at)?.next ?? NONE) out.add(at)
    }
    return out
  }

  private boundTarget (domain: Reference, target: Reference): void {
    const held = this.signaturesOf(target)
    if (held.length <= OF_TARGET.most) return
    const keep = this.keepers(domain)
    const loose = held.filter((r) => !keep.has(r))
    for (const ref of loose.slice(0, Math.max(0, loose.length - OF_TARGET.kept))) this.drop(ref)
  }

  /** What held objects name and that isn't held, in a fixed order; [domain] at first. Unsigned objects can ask for what they follow only. */
  missing (domain: Reference): readonly Reference[] {
    return resolveAuthority(this, domain).missing
  }

  /** Root entries and manifests in place that lack signatures; those can only be asked for by their target. */
  unsigned (domain: Reference): readonly Reference[] {
    return resolveAuthority(this, domain).unsigned
  }

  /**
   * What is kept, served and put into bundles for the domain, each object with its signatures, in the order of B3: root chain, certificates and policies,
   * manifests, moves. That is everything that valid links lead to from its genesis, losing branches too: others need them to come to the same verdicts. But
   * once authority is settled (M6, M7), of what lies off the accepted chains only so much as {@link OFF_CHAIN} says: a root_key whose epoch is over, and roots
   * that were rotated away, could sign without end. `also`: a manifest that must be there, with all that it follows. Computed once a revision.
   */
  relevant (domain: Reference, also?: Reference): readonly Reference[] {
    if (also !== undefined) return this.collect(domain, also)
    if (this.linked?.revision !== this.revision || this.linked.domain !== domain) this.linked = { revision: this.revision, domain, refs: this.collect(domain) }
    return this.linked.refs
  }

  /** Held moves that don't count, or aren't among those that are kept, with the signatures over them. */
  surplusMoves (domain: Reference): Reference[] {
    if (this.moves.size === 0) return []
    const kept = new Set(resolveAuthority(this, domain).moves.map((m) => m.ref))
    return [...this.moves.keys()].filter((ref) => !kept.has(ref)).flatMap((ref) => [ref, ...this.signaturesOf(ref)])
  }

  private collect (domain: Reference, also?: Reference): Reference[] {
    const authority = resolveAuthority(this, domain)
    const { rootChain, judged, moves } = authority
    const { entries, manifests } = isSettled(authority) ? this.settledParts(authority) : { entries: new Set([...rootChain.judged.values()].filter(valid)), manifests: new Set([...judged.values()].filter(valid)) }
    const takeBehind = (from: Reference): void => {
      for (let j = judged.get(from); j !== undefined && !manifests.has(j); j = judged.get(j.manifest.previous)) {
        manifests.add(j)
        for (let e = rootChain.judged.get(j.manifest.root_entry); e !== undefined && !entries.has(e); e = rootChain.judged.get(e.entry.previous)) entries.add(e)
      }
    }
    // M7: a base that is no valid manifest leaves the domain without authority, so everybody has to see that it is none: it, and what that rests on.
    if (!isSettled(authority)) for (const { entry } of [...entries]) takeBehind(entry.base)
    if (also !== undefined) takeBehind(also)
    const out = new Set<Reference>()
    const take = (ref: Reference): void => {
      if (this.has(ref)) out.add(ref)
    }
    const takeSignature = (target: Reference, purpose: AuthorityPurpose, key: PublicKey): void => {
      const ref = this.signature(target, purpose, key)
      if (ref !== undefined) out.add(ref)
    }
    for (const { ref, entry } of [...entries].sort((a, b) => a.entry.epoch - b.entry.epoch)) {
      take(entry.root_set)
      take(ref)
      for (const key of this.rootSets.get(entry.root_set)?.root_keys ?? []) takeSignature(ref, 'root-entry', key)
    }
    for (const { entry } of entries) {
      take(entry.certificate)
      const certificate = this.certificates.get(entry.certificate)
      if (certificate !== undefined) take(referenceOfHash(certificate.policy_hash))
    }
    const walked = new Set<Reference>()
    for (const { ref, manifest } of [...manifests].sort((a, b) => a.manifest.version - b.manifest.version)) {
      // Many may name one list; with it stands all that it leads to.
      for (let at = manifest.cuts; at !== NONE && !walked.has(at); at = this.cutLists.get(at)?.next ?? NONE) {
        walked.add(at)
        take(at)
      }
      take(ref)
      takeSignature(ref, 'manifest', manifest.root_key)
    }
    for (const { ref, move } of moves) {
      take(ref)
      const set = rootChain.judged.get(move.root_entry)?.entry.root_set
      for (const key of set === undefined ? [] : this.rootSets.get(set)?.root_keys ?? []) takeSignature(ref, 'domain-moved', key)
    }
    return [...out]
  }

  /** Accepted chains and forks of the epoch in force in full, and of all else that is valid what there is room for, each behind what it follows. */
  private settledParts ({ rootChain, judged, onChain }: Authority): { entries: Set<JudgedEntry>, manifests: Set<JudgedManifest> } {
    const top = rootChain.entries.at(-1)?.ref
    const accepted = new Set(rootChain.entries.map((e) => e.ref))
    const path = new Set(onChain.map((m) => m.ref))
    const entries = new Set<JudgedEntry>()
    // By epoch, then reference, as they are judged: what an entry follows comes before it.
    let room = OFF_CHAIN.entries
    for (const j of rootChain.judged.values()) {
      if (!valid(j)) continue
      const policy = j.certificate === undefined ? [] : [referenceOfHash(j.certificate.policy_hash)]
      if (!accepted.has(j.ref) && (room -= this.sizeOf(j.ref, j.entry.root_set, j.entry.certificate, ...policy)) < 0) continue
      const before = rootChain.judged.get(j.entry.previous)
      if (before === undefined || entries.has(before)) entries.add(j)
    }
    const manifests = new Set<JudgedManifest>()
    for (const small of [true, false]) {
      room = OFF_CHAIN.manifests
      for (const j of judged.values()) {
        if (!valid(j) || manifests.has(j)) continue
        const before = judged.get(j.manifest.previous)
        const entry = rootChain.judged.get(j.manifest.root_entry)
        if ((before !== undefined && !manifests.has(before)) || entry === undefined || !entries.has(entry)) continue
        if (!path.has(j.ref) && j.manifest.root_entry !== top) {
          if (room < 0) continue
          const size = this.sizeWithLists(j, small ? OFF_CHAIN.small : room)
          if ((small && size > OFF_CHAIN.small) || (room -= size) < 0) continue
        }
        manifests.add(j)
      }
    }
    return { entries, manifests }
  }

  /** Bytes of a manifest and its cut lists; beyond `most` any more is as good as another: lists may be many, and many manifests may name the same. */
  private sizeWithLists (j: JudgedManifest, most: number): number {
    let out = this.sizeOf(j.ref)
    for (let at = j.manifest.cuts; at !== NONE && out <= most; at = this.cutLists.get(at)?.next ?? NONE) out += this.sizeOf(at)
    return out
  }

  private sizeOf (...refs: Reference[]): number {
    return refs.reduce((n, ref) => n + (this.artifacts.get(ref)?.payload.length ?? 0), 0)
  }
}

/** No fork of the root chain, and a base that is held and valid: whatever comes, what lies off the chains now can only come back by a later base. */
const isSettled = ({ rootChain, state }: Authority): boolean => rootChain.state === 'ok' && state !== 'deferred'
const valid = ({ verdict }: { readonly verdict: Verdict }): boolean => verdict.status === 'accepted'
