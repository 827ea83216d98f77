/**
 * Whole domains made in memory from a seed: same seed, same bytes. Every object made is kept in `items` with its signatures; forks, thieves and faults
 * are made by saying what to follow, who signs, or which field to change.
 */
import * as ed from '@noble/ed25519'
import { AuthorityObjects } from '../../src/authority/authority-store.js'
import { type AuthorityCertificate, certificateCodec } from '../../src/authority/certificate.js'
import { type Cut, cutListCodec } from '../../src/authority/cut-list.js'
import { type DomainAuthorityManifest, manifestCodec } from '../../src/authority/manifest.js'
import { type Authority, type AuthorityOptions, resolveAuthority } from '../../src/authority/manifest-chain.js'
import { defaultPolicy, type DomainPolicy, policyCodec, policyHash } from '../../src/authority/policy.js'
import { rootCommitment, type RootEntry, rootEntryCodec, ZERO_32 } from '../../src/authority/root-entry.js'
import { type OfflineRootSet, rootSetCodec } from '../../src/authority/root-set.js'
import { type Role, ROLES } from '../../src/authority/role-names.js'
import { keyHash } from '../../src/authority/shapes.js'
import { type Artifact, referenceOf } from '../../src/substrate/artifact.js'
import { toHex, utf8 } from '../../src/substrate/bytes.js'
import { sha256Bytes } from '../../src/substrate/hasher.js'
import { type Hash, NONE, type PublicKey, type Reference, referenceOfHash } from '../../src/substrate/reference.js'
import { type Purpose, signatureCodec, signedMessage, type Signer } from '../../src/substrate/signature.js'
import '../../src/substrate/verifier.js'

export interface TestKey {
  readonly secret: Uint8Array
  readonly publicKey: PublicKey
  /** SHA-256 of the public key */
  readonly id: Hash
}

/** 32 bytes as hex that depend on `seed` alone. */
export function digestFrom (seed: string): Hash {
  return toHex(sha256Bytes(utf8(`diad test ${seed}`))) as Hash
}

export const refFrom = (seed: string): Reference => referenceOfHash(digestFrom(seed))

const keys = new Map<string, TestKey>()

export function testKey (seed: string): TestKey {
  let key = keys.get(seed)
  if (key === undefined) {
    const secret = sha256Bytes(utf8(`diad test key ${seed}`))
    const publicKey = toHex(ed.getPublicKey(secret)) as PublicKey
    keys.set(seed, key = { secret, publicKey, id: keyHash(publicKey) })
  }
  return key
}

/** The port that production code signs through, on a test key. */
export function testSigner (key: TestKey): Signer {
  return { publicKey: key.publicKey, sign: async (message) => ed.sign(message, key.secret) }
}

export interface Item {
  readonly ref: Reference
  readonly artifact: Artifact
}

export function itemOf (artifact: Artifact): Item {
  return { ref: referenceOf(artifact.typeTag, artifact.payload), artifact }
}

export function signed (key: TestKey, purpose: Purpose, target: Reference): Item {
  const signature = toHex(ed.sign(signedMessage(purpose, target), key.secret))
  return itemOf(signatureCodec.artifact({ target, purpose, public_key: key.publicKey, signature }))
}

export interface PrincipalSpec {
  readonly key: TestKey
  /** default: all five */
  readonly roles?: readonly Role[]
  /** default: [''], the whole domain */
  readonly prefixes?: readonly string[]
  /** default: [NONE], any program */
  readonly programs?: readonly Reference[]
}

/** The offline keys of one generation. */
export interface Roots {
  readonly keys: readonly TestKey[]
  readonly threshold: number
}

export interface DomainOptions {
  seed?: string
  /** number of offline keys a generation; default 1 */
  roots?: number
  threshold?: number
  principals?: readonly PrincipalSpec[]
  policy?: DomainPolicy
  /** whether to make manifest 1; default true */
  manifest?: boolean
  /** fields of the genesis' certificate to change */
  certificate?: Partial<AuthorityCertificate>
  /** how many of the roots sign the genesis; default all */
  signers?: number
}

export interface EntryOptions {
  /** the entry to follow; default: the newest made */
  after?: Reference
  /** default: the newest manifest made */
  base?: Reference
  /** seed of the key certified for the new epoch; default: one of its own per entry */
  rootKey?: string
  policy?: DomainPolicy
  /** who signs; default: all keys of the entry's root set */
  signers?: readonly TestKey[]
  /** fields of the entry, or of its certificate, to change before signing */
  entry?: Partial<RootEntry>
  certificate?: Partial<AuthorityCertificate>
}

export interface ManifestOptions {
  /** the manifest to follow, NONE for a first one; default: the newest made */
  after?: Reference
  /** the root entry it stands under; default: the newest made */
  under?: Reference
  /** default: those of the manifest followed */
  principals?: readonly PrincipalSpec[]
  closed?: readonly TestKey[]
  cuts?: readonly Cut[]
  /** cuts a list; default: all in one */
  chunk?: number
  /** who signs; default: the certified key. `false`: nobody */
  signer?: TestKey | false
  /** fields to change before signing */
  fields?: Partial<DomainAuthorityManifest>
}

/** What one call made: the object's own reference and everything that has to travel with it. */
export interface Made {
  readonly ref: Reference
  readonly items: readonly Item[]
}

interface EntryFacts {
  readonly entry: RootEntry
  readonly roots: Roots
  /** what opens its commitment */
  readonly next: Roots
  readonly nextSalt: string
  readonly rootKey: TestKey
  readonly policy: DomainPolicy
}

interface ManifestFacts { readonly version: number, readonly principals: readonly PrincipalSpec[] }

export class TestDomain {
  readonly domain: Reference
  /** every artifact made so far, in the order of making */
  readonly items: Item[] = []
  /** the newest root entry and manifest made, on whatever branch */
  entry: Reference
  tip: Reference = NONE
  readonly seed: string
  private readonly entries = new Map<Reference, EntryFacts>()
  private readonly manifests = new Map<Reference, ManifestFacts>()
  private generation = 0
  private readonly count: number
  private readonly threshold: number

  constructor (options: DomainOptions = {}) {
    this.seed = options.seed ?? 'domain'
    this.count = options.roots ?? 1
    this.threshold = options.threshold ?? 1
    const policy = options.policy ?? defaultPolicy
    const roots = this.freshRoots()
    const made = this.makeEntry(
      { domain_id: NONE, epoch: 0, previous: NONE, salt: ZERO_32, base: NONE }, roots, this.freshRoots(), digestFrom(`${this.seed}/salt/0`),
      { policy, signers: roots.keys.slice(0, options.signers ?? roots.keys.length), ...(options.certificate === undefined ? {} : { certificate: options.certificate }) })
    this.domain = this.entry = made.ref
    if (options.manifest !== false) {
      this.manifest({ after: NONE, principals: options.principals ?? [{ key: testKey(`${this.seed}/main`) }] })
    }
  }

  /** The key that an entry certifies for manifests. */
  rootKey (entry: Reference = this.entry): TestKey {
    return this.facts(entry).rootKey
  }

  roots (entry: Reference = this.entry): Roots {
    return this.facts(entry).roots
  }

  /** The roots that open the commitment in force after `entry`. */
  nextRoots (entry: Reference = this.entry): Roots {
    return this.facts(entry).next
  }

  principals (manifest: Reference = this.tip): readonly PrincipalSpec[] {
    return this.manifests.get(manifest)?.principals ?? []
  }

  renew (options: EntryOptions = {}): Made {
    const after = this.facts(options.after ?? this.entry)
    return this.follow({ salt: ZERO_32 }, after.roots, after.next, after.nextSalt, after, options)
  }

  rotate (options: EntryOptions = {}): Made {
    const after = this.facts(options.after ?? this.entry)
    const next = this.freshRoots()
    return this.follow({ salt: after.nextSalt }, after.next, next, digestFrom(`${this.seed}/salt/${this.generation}`), after, options)
  }

  manifest (options: ManifestOptions = {}): Made {
    const after = options.after ?? this.tip
    const under = options.under ?? this.entry
    const before = this.manifests.get(after)
    const facts = this.facts(under)
    const principals = options.principals ?? before?.principals ?? []
    const rows = [...principals].sort((a, b) => a.key.id < b.key.id ? -1 : 1)
    const lists = this.cutLists(options.cuts ?? [], options.chunk ?? Infinity)
    const manifest: DomainAuthorityManifest = {
      domain_id: this.domain,
      root_entry: under,
      version: (before?.version ?? 0) + 1,
      previous: after,
      root_key: facts.rootKey.publicKey,
      principals: rows.map((p) => ({ principal_id: p.key.id, public_key: p.key.publicKey, roles: [...(p.roles ?? ROLES)].sort() })),
      policy_hash: policyHash(facts.policy),
      scope: rows.map((p) => ({ principal_id: p.key.id, prefixes: [...(p.prefixes ?? [''])].sort(), programs: [...(p.programs ?? [NONE])].sort() })),
      closed: (options.closed ?? []).map((k) => k.id).sort(),
      cuts: lists[0]?.ref ?? NONE,
      ...options.fields
    }
    const item = itemOf(manifestCodec.artifact(manifest))
    const by = options.signer ?? facts.rootKey
    this.manifests.set(item.ref, { version: manifest.version, principals })
    this.tip = item.ref
    return this.made(item.ref, [...lists, item, ...(by === false ? [] : [signed(by, 'manifest', item.ref)])])
  }

  /** A set holding `items` in the order given; default: all. */
  objects (items: readonly Item[] = this.items): AuthorityObjects {
    return holding(this.domain, items)
  }

  authority (items: readonly Item[] = this.items, options: AuthorityOptions = {}): Authority {
    return resolveAuthority(this.objects(items), this.domain, options)
  }

  private facts (entry: Reference): EntryFacts {
    const found = this.entries.get(entry)
    if (found === undefined) throw new Error(`this domain made no root entry ${entry}`)
    return found
  }

  private made (ref: Reference, items: Item[]): Made {
    this.items.push(...items)
    return { ref, items }
  }

  private freshRoots (): Roots {
    const generation = this.generation++
    const made = Array.from({ length: this.count }, (_, i) => testKey(`${this.seed}/root/${generation}/${i}`))
    return { keys: made.sort((a, b) => a.publicKey < b.publicKey ? -1 : 1), threshold: this.threshold }
  }

  private follow (fields: Pick<RootEntry, 'salt'>, roots: Roots, next: Roots, nextSalt: string, after: EntryFacts, options: EntryOptions): Made {
    const previous = options.after ?? this.entry
    const made = this.makeEntry(
      { domain_id: this.domain, epoch: after.entry.epoch + 1, previous, base: options.base ?? this.tip, ...fields }, roots, next, nextSalt,
      { policy: after.policy, ...options })
    this.entry = made.ref
    return made
  }

  private makeEntry (
    fields: Pick<RootEntry, 'domain_id' | 'epoch' | 'previous' | 'salt' | 'base'>, roots: Roots, next: Roots, nextSalt: string,
    options: EntryOptions & { policy: DomainPolicy }
  ): Made {
    const { policy } = options
    const rootKey = testKey(`${this.seed}/${options.rootKey ?? `manifests/${this.entries.size}`}`)
    const set = itemOf(rootSetCodec.artifact(rootSetOf(roots)))
    const certificate = itemOf(certificateCodec.artifact({
      subject_type: 'domain_root',
      subject_id: rootKey.id,
      subject_pubkey: rootKey.publicKey,
      domain_id: fields.domain_id,
      roles: [],
      policy_hash: policyHash(policy),
      issued_by: (roots.keys[0] as TestKey).publicKey,
      version: fields.epoch,
      ...options.certificate
    }))
    const entry: RootEntry = {
      ...fields,
      root_set: set.ref,
      next_commitment: rootCommitment(nextSalt, rootSetCodec.reference(rootSetOf(next))),
      certificate: certificate.ref,
      ...options.entry
    }
    const item = itemOf(rootEntryCodec.artifact(entry))
    this.entries.set(item.ref, { entry, roots, next, nextSalt, rootKey, policy })
    const signatures = (options.signers ?? roots.keys).map((key) => signed(key, 'root-entry', item.ref))
    return this.made(item.ref, [set, certificate, itemOf(policyCodec.artifact(policy)), item, ...signatures])
  }

  private cutLists (cuts: readonly Cut[], chunk: number): Item[] {
    const rows = [...cuts].sort((a, b) => a.lane < b.lane ? -1 : 1)
    const out: Item[] = []
    const size = Math.min(chunk, Math.max(1, rows.length))
    for (let start = Math.floor((rows.length - 1) / size) * size; start >= 0; start -= size) {
      out.unshift(itemOf(cutListCodec.artifact({ cuts: rows.slice(start, start + size), next: out[0]?.ref ?? NONE })))
    }
    return out
  }
}

export function rootSetOf (roots: Roots): OfflineRootSet {
  return { version: 1, root_keys: roots.keys.map((k) => k.publicKey), threshold: roots.threshold, reserved0: 0 }
}

export function makeDomain (options: DomainOptions = {}): TestDomain {
  return new TestDomain(options)
}

/** A set holding `items`; throws when one is refused, so that a broken fixture can't pass for a verdict. */
export function holding (domain: Reference, items: readonly Item[]): AuthorityObjects {
  const objects = new AuthorityObjects(domain)
  for (const { ref, artifact } of items) {
    const result = objects.add(ref, artifact)
    if (typeof result !== 'string') throw new Error(`${ref}: ${result.code}: ${result.checks.map((c) => c.text).join('; ')}`)
  }
  return objects
}

/** Everything that two nodes holding the same must agree on, as plain data. */
export function summary (authority: Authority, held: Iterable<Reference>): unknown {
  return {
    state: authority.stateText,
    chain: authority.onChain.map((m) => [m.ref, [...m.cuts.values()]]),
    fork: authority.forkChildren,
    cut: [...authority.forked.cutLanes].sort(),
    closed: [...authority.forked.closedPrincipals].sort(),
    missing: authority.missing,
    unsigned: authority.unsigned,
    verdicts: [...held].sort().map((ref) => [ref, authority.verdictOf(ref)])
  }
}
