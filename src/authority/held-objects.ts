/**
 * The authority objects held of a domain, decoded, as a set. What comes in is checked by its own bytes; what it means is computed
 * from the whole (root-chain.ts, manifest-chain.ts), so arrival order can't matter. An object whose dependencies are missing is simply held;
 * {@link AuthorityObjects} bounds how many of those there may be. Source: RULES R5, T1.
 */
import { type Artifact, referenceOf } from '../substrate/artifact.js'
import { MalformedError } from '../substrate/errors.js'
import { NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { type Purpose, type Signature, signatureCodec, signatureHolds } from '../substrate/signature.js'
import { TAG, tagName } from '../substrate/type-tags.js'
import { type AuthorityCertificate, certificateCodec } from './certificate.js'
import { type CutList, cutListCodec } from './cut-list.js'
import { type DomainMoved, domainMovedCodec } from './domain-moved.js'
import { type DomainAuthorityManifest, manifestCodec } from './manifest.js'
import { type DomainPolicy, policyCodec } from './policy.js'
import { type RootEntry, rootEntryCodec } from './root-entry.js'
import { type OfflineRootSet, rootSetCodec } from './root-set.js'
import { failed, type Verdict } from './verdict.js'

/** The purposes of the signatures that authority rests on. */
const PURPOSES = ['root-entry', 'manifest', 'domain-moved'] as const satisfies readonly Purpose[]
export type AuthorityPurpose = typeof PURPOSES[number]

const isOurs = (purpose: Purpose): purpose is AuthorityPurpose => (PURPOSES as readonly Purpose[]).includes(purpose)

const slot = (purpose: Purpose, key: PublicKey): string => `${purpose}/${key}`

export class HeldObjects {
  /** counts changes; whatever is computed from the set is computed once a revision */
  revision = 0
  /** counts cut lists that were let go of; until the next one, what was found of lists all of which are held stays true */
  listsDropped = 0
  /** counts objects that were let go: what was judged with one of them may be judged otherwise without it */
  drops = 0
  readonly rootSets = new Map<Reference, OfflineRootSet>()
  readonly certificates = new Map<Reference, AuthorityCertificate>()
  readonly rootEntries = new Map<Reference, RootEntry>()
  readonly policies = new Map<Reference, DomainPolicy>()
  readonly manifests = new Map<Reference, DomainAuthorityManifest>()
  readonly cutLists = new Map<Reference, CutList>()
  readonly moves = new Map<Reference, DomainMoved>()
  /** target → purpose and key → the valid signature kept for them */
  private readonly signatures = new Map<Reference, Map<string, Reference>>()
  /** in the order they came */
  protected readonly artifacts = new Map<Reference, Artifact>()
  /** of their payloads */
  protected bytes = 0
  protected signatureCount = 0

  /** With a `domain`, root entries, certificates and manifests of other domains are turned away. */
  constructor (readonly domain?: Reference) {}

  /**
   * Takes one object. 'added' = something changed; 'known' = nothing did; a `rejected` verdict = bad bytes (malformed, bad-signature,
   * reference-mismatch); an `informational` one = a good object that isn't kept here (other-domain, not-authority).
   */
  add (ref: Reference, artifact: Artifact): 'added' | 'known' | Verdict {
    if (this.artifacts.has(ref)) return 'known'
    if (referenceOf(artifact.typeTag, artifact.payload) !== ref) return failed('reference-mismatch', `the bytes hash to something other than ${ref}`)
    try {
      return this.take(ref, artifact)
    } catch (err) {
      if (err instanceof MalformedError) return failed('malformed', err.message)
      throw err
    }
  }

  private take (ref: Reference, artifact: Artifact): 'added' | 'known' | Verdict {
    switch (artifact.typeTag) {
      case TAG.offlineRootSet: return this.keep(ref, artifact, this.rootSets, rootSetCodec.from(artifact))
      case TAG.authorityCertificate: {
        const certificate = certificateCodec.from(artifact)
        return this.foreign(certificate.domain_id) ?? this.keep(ref, artifact, this.certificates, certificate)
      }
      case TAG.rootEntry: {
        const entry = rootEntryCodec.from(artifact)
        return this.foreign(entry.epoch === 0 ? ref : entry.domain_id) ?? this.keep(ref, artifact, this.rootEntries, entry)
      }
      case TAG.domainPolicy: return this.keep(ref, artifact, this.policies, policyCodec.from(artifact))
      case TAG.manifest: {
        const manifest = manifestCodec.from(artifact)
        return this.foreign(manifest.domain_id) ?? this.keep(ref, artifact, this.manifests, manifest)
      }
      case TAG.cutList: return this.keep(ref, artifact, this.cutLists, cutListCodec.from(artifact))
      case TAG.domainMoved: {
        const move = domainMovedCodec.from(artifact)
        return this.foreign(move.domain_id) ?? this.keep(ref, artifact, this.moves, move)
      }
      case TAG.signature: return this.takeSignature(ref, artifact, signatureCodec.from(artifact))
      default: return failed('not-authority', `${tagName(artifact.typeTag)} is no authority object`)
    }
  }

  private foreign (domain: Reference): Verdict | undefined {
    const other = this.domain !== undefined && domain !== NONE && domain !== this.domain
    return other ? failed('other-domain', `it belongs to the domain ${domain}`) : undefined
  }

  private keep<T> (ref: Reference, artifact: Artifact, into: Map<Reference, T>, value: T): 'added' {
    into.set(ref, value)
    return this.remember(ref, artifact)
  }

  private remember (ref: Reference, artifact: Artifact): 'added' {
    // A copy: the payload may be a view into a large buffer, which it would keep alive.
    this.artifacts.set(ref, { typeTag: artifact.typeTag, payload: artifact.payload.slice() })
    this.bytes += artifact.payload.length
    if (artifact.typeTag === TAG.signature) this.signatureCount++
    this.revision++
    return 'added'
  }

  private forget (ref: Reference): Artifact | undefined {
    const artifact = this.artifacts.get(ref)
    if (artifact === undefined) return undefined
    this.artifacts.delete(ref)
    this.bytes -= artifact.payload.length
    if (artifact.typeTag === TAG.signature) this.signatureCount--
    this.revision++
    return artifact
  }

  /** Lets go of one object, as if it had never come. */
  protected drop (ref: Reference): void {
    const artifact = this.forget(ref)
    if (artifact === undefined) return
    this.drops++
    for (const kind of [this.rootSets, this.certificates, this.rootEntries, this.policies, this.manifests, this.moves]) kind.delete(ref)
    if (this.cutLists.delete(ref)) this.listsDropped++
    if (artifact.typeTag !== TAG.signature) return
    const { purpose, target, public_key: key } = signatureCodec.from(artifact)
    const ofTarget = this.signatures.get(target)
    ofTarget?.delete(slot(purpose, key))
    if (ofTarget?.size === 0) this.signatures.delete(target)
  }

  /** The signatures held over `target`, in the order their keys came. */
  protected signaturesOf (target: Reference): Reference[] {
    return [...this.signatures.get(target)?.values() ?? []]
  }

  /** The signatures held that one of `keys` made. */
  protected signaturesBy (keys: ReadonlySet<PublicKey>): Reference[] {
    const slots = new Set<string>()
    for (const key of keys) for (const purpose of PURPOSES) slots.add(slot(purpose, key))
    const out: Reference[] = []
    for (const ofTarget of this.signatures.values()) for (const [at, ref] of ofTarget) if (slots.has(at)) out.push(ref)
    return out
  }

  /** A key can make any number of signatures over one target; the one with the smallest reference is kept, so that all nodes keep the same one. */
  private takeSignature (ref: Reference, artifact: Artifact, signature: Signature): 'added' | 'known' | Verdict {
    const { purpose, target, public_key: key } = signature
    if (!isOurs(purpose)) return failed('not-authority', `a signature with the purpose ${purpose} is no authority object`)
    const ofTarget = this.signatures.get(target)
    const held = ofTarget?.get(slot(purpose, key))
    if (held !== undefined && held < ref) return 'known'
    if (!signatureHolds(signature)) return failed('bad-signature', `the ${purpose} signature by ${key} does not verify`)
    if (held !== undefined) this.forget(held)
    if (ofTarget === undefined) this.signatures.set(target, new Map([[slot(purpose, key), ref]]))
    else ofTarget.set(slot(purpose, key), ref)
    return this.remember(ref, artifact)
  }

  /** The valid signature of `key` over `target`, or undefined. */
  signature (target: Reference, purpose: AuthorityPurpose, key: PublicKey): Reference | undefined {
    return this.signatures.get(target)?.get(slot(purpose, key))
  }

  has (ref: Reference): boolean {
    return this.artifacts.has(ref)
  }

  artifact (ref: Reference): Artifact | undefined {
    return this.artifacts.get(ref)
  }
}
