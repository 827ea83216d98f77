/** A whole little domain from fixed seeds: keys, root entries, manifest, lane, signed heads, content. Same code, same bytes, for ever. */
import * as ed from '@noble/ed25519'
import { certificateCodec } from '../../src/authority/certificate.js'
import { cutListCodec } from '../../src/authority/cut-list.js'
import { domainMovedCodec } from '../../src/authority/domain-moved.js'
import { manifestCodec } from '../../src/authority/manifest.js'
import { defaultPolicy, policyCodec, policyHash } from '../../src/authority/policy.js'
import { rootCommitment, rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import { keyHash } from '../../src/authority/shapes.js'
import { type Branch, branchSnapshot, forkEvidenceCodec, makeEvidence } from '../../src/publication/evidence.js'
import { fileCodec } from '../../src/publication/file.js'
import { laneCodec, PUBLISHED, snapshotCodec } from '../../src/publication/lane.js'
import { bareLeaf, type Body, encodeLeaf, leafOf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { treeCodec } from '../../src/publication/tree.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { toHex, utf8 } from '../../src/substrate/bytes.js'
import type { ArtifactCodec } from '../../src/substrate/codec.js'
import { sha256Bytes } from '../../src/substrate/hasher.js'
import { type Hash, NONE, type PublicKey, type Reference } from '../../src/substrate/reference.js'
import { type Purpose, type Signature, signatureCodec, signedMessage } from '../../src/substrate/signature.js'
import '../../src/substrate/verifier.js'

export interface Key { readonly secret: Uint8Array, readonly public: PublicKey, readonly id: Hash }

/** 32 bytes as hex that depend on `seed` alone. */
export const digest = (seed: string): Hash => toHex(sha256Bytes(utf8(`diad vectors ${seed}`))) as Hash
export const ZERO = '0'.repeat(64)
export const salt = (seed: string): string => digest(`salt ${seed}`).slice(0, 32)

export function key (seed: string): Key {
  const secret = sha256Bytes(utf8(`diad vectors key ${seed}`))
  const publicKey = toHex(ed.getPublicKey(secret)) as PublicKey
  return { secret, public: publicKey, id: keyHash(publicKey) }
}

export function signed (by: Key, purpose: Purpose, target: Reference): Signature {
  return { target, purpose, public_key: by.public, signature: toHex(ed.sign(signedMessage(purpose, target), by.secret)) }
}

/** An object with the codec that it goes through. */
export interface Sample { readonly type: string, readonly codec: ArtifactCodec<object>, readonly value: object, readonly note?: string }
const samples: Sample[] = []
function sample<T extends object> (codec: ArtifactCodec<T>, value: NoInfer<T>, note?: string): Reference {
  samples.push({ type: codec.name, codec: codec as unknown as ArtifactCodec<object>, value, ...(note === undefined ? {} : { note }) })
  return codec.reference(value)
}

export const keys = { root: key('root'), other: key('root 2'), next: key('next root'), rootKey: key('root_key'), alice: key('alice'), bob: key('bob') }

const rootSet = { version: 1 as const, root_keys: [keys.root.public], threshold: 1, reserved0: 0 as const }
const twoKeys = { ...rootSet, root_keys: [keys.root.public, keys.other.public].sort(), threshold: 2 }
const nextSet = { ...rootSet, root_keys: [keys.next.public] }
const rootSetRef = sample(rootSetCodec, rootSet)
sample(rootSetCodec, twoKeys, 'two of two')
const nextSetRef = sample(rootSetCodec, nextSet, 'the set that the genesis commits to')
sample(policyCodec, defaultPolicy)

const certificate = (version: number, domain: Reference, issuer: Key): Parameters<typeof certificateCodec.encode>[0] => ({
  subject_type: 'domain_root', subject_id: keys.rootKey.id, subject_pubkey: keys.rootKey.public, domain_id: domain, roles: [],
  policy_hash: policyHash(defaultPolicy), issued_by: issuer.public, version
})
const nextSalt = digest('next salt')
const genesis = {
  domain_id: NONE, epoch: 0, previous: NONE, root_set: rootSetRef, salt: ZERO, next_commitment: rootCommitment(nextSalt, nextSetRef),
  certificate: sample(certificateCodec, certificate(0, NONE, keys.root), 'of the genesis'), base: NONE
}
export const domain = sample(rootEntryCodec, genesis, 'a genesis: its reference is the DomainID')

const ids = [keys.alice, keys.bob].sort((a, b) => a.id < b.id ? -1 : 1)
const manifest = {
  domain_id: domain, root_entry: domain, version: 1, previous: NONE, root_key: keys.rootKey.public,
  principals: ids.map((k) => ({ principal_id: k.id, public_key: k.public, roles: k === keys.alice ? ['federate' as const, 'publish' as const] : ['produce' as const] })),
  policy_hash: policyHash(defaultPolicy),
  scope: ids.map((k) => ({ principal_id: k.id, prefixes: k === keys.alice ? [''] : ['docs', 'wiki/draft'], programs: k === keys.alice ? [NONE] : [] })),
  closed: [], cuts: NONE
}
export const manifestRef = sample(manifestCodec, manifest)

const content = utf8('Hello from the vectors.\n')
const chunk = referenceOf(undefined, content)
const fileRef = sample(fileCodec, { level: 0, size: 2 * content.length, parts: [{ size: content.length, ref: chunk }, { size: content.length, ref: chunk }] }, 'shape only: a writer would not cut so small')
const emptyTree = sample(treeCodec, { level: 0, entries: [] }, 'an empty directory')
const treeRef = sample(treeCodec, {
  level: 0,
  entries: [
    { kind: 'dir', name: 'empty', mode: 0o755, ref: emptyTree },
    { kind: 'link', name: 'latest', target: utf8('notes.txt') },
    { kind: 'file', name: 'notes.txt', mode: 0o644, size: content.length, ref: chunk },
    { kind: 'file', name: '\u00e9tude', mode: 0o4755, size: 2 * content.length, ref: fileRef },
    { kind: 'file', name: '\uffee', mode: 0, size: 0, ref: referenceOf(undefined, new Uint8Array(0)) },
    { kind: 'file', name: '\u{1f600}', mode: 0o644, size: content.length, ref: chunk }
  ]
}, 'names ascend by UTF-8 bytes, which is not the order of UTF-16 units')
sample(treeCodec, { level: 1, entries: [{ first: 'empty', ref: treeRef }] }, 'a node')
sample(treeCodec, { level: 0, entries: [{ kind: 'file', name: '\ufeffnotes.txt', mode: 0o644, size: content.length, ref: chunk }] }, 'text is what its bytes say: a leading U+FEFF is part of it')

const lane = { domain_id: domain, principal: keys.alice.id, manifest: manifestRef, visibility: PUBLISHED, nonce: digest('nonce'), previous: NONE } as const
const laneRef = sample(laneCodec, lane)

export const bodies: Body[] = [
  { kind: 'publish', salt: salt('publish'), name: 'site', ref: treeRef, mode: 0o755 },
  { kind: 'tombstone', salt: salt('tombstone'), name: 'site' },
  { kind: 'lift', salt: salt('lift'), name: 'site', ref: treeRef, mode: 0o755 },
  { kind: 'erase', salt: salt('erase'), lane: laneRef, index: 0, leaf_hash: digest('leaf hash') },
  { kind: 'receipt', salt: salt('receipt'), ref: chunk },
  { kind: 'statement', salt: salt('statement'), type: 'artifact-at-path', ref: chunk },
  { kind: 'admit', salt: salt('admit'), ref: chunk },
  { kind: 'vouch', salt: salt('vouch'), lane: laneRef, snapshot: chunk }
]

/** Two logs of one lane that part at leaf 2. */
function logOf (last: Body): LeafLog {
  const log = new LeafLog()
  for (const { leaf } of [leafOf(1, bodies[0] as Body), bareLeaf('tick', 2), leafOf(3, last)]) log.append(encodeLeaf(leaf))
  return log
}
const left = logOf(bodies[1] as Body)
const right = logOf(bodies[2] as Body)
const headOf = (log: LeafLog): Parameters<typeof snapshotCodec.encode>[0] => ({ lane: laneRef, log_size: log.size, log_root: log.root(), logseq: 3 })
export const snapshotRef = sample(snapshotCodec, headOf(left))
const branch = (log: LeafLog): Branch => {
  const { log_size, log_root, logseq } = headOf(log)
  const target = snapshotCodec.reference(headOf(log))
  return { log_size, log_root, logseq, signature: signed(keys.alice, 'snapshot', target).signature, leaf_hash: log.leafHash(2), path: log.inclusion(2, 3) }
}
export const evidence = makeEvidence(laneRef, keys.alice.public, 2, branch(left), branch(right))
sample(forkEvidenceCodec, evidence)
export const evidenceSides = [branchSnapshot(laneRef, evidence.a), branchSnapshot(laneRef, evidence.b)]

const rotate = {
  domain_id: domain, epoch: 1, previous: domain, root_set: nextSetRef, salt: nextSalt, next_commitment: digest('fresh commitment'),
  certificate: sample(certificateCodec, certificate(1, domain, keys.next), 'of epoch 1'), base: manifestRef
}
export const rotateRef = sample(rootEntryCodec, rotate, 'a rotate')
const cutList = { cuts: [{ lane: laneRef, snapshot: snapshotRef, ends: true }], next: NONE }
sample(cutListCodec, cutList)
export const signature = signed(keys.alice, 'snapshot', snapshotRef)
sample(signatureCodec, signature)
sample(domainMovedCodec, { domain_id: domain, root_entry: rotateRef, to: referenceOf(undefined, utf8('another domain')) })

export const SAMPLES: readonly Sample[] = samples
export { certificate, content, cutList, fileRef, genesis, headOf, lane, laneRef, left, manifest, rootSet, rotate, treeRef }
