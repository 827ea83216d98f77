/**
 * The library. Floors 1 to 5 are pure and run anywhere; what needs Node.js is under `node/`.
 *
 * @example Judge a domain from bytes alone
 * ```js
 * import { DomainKnowledge, decodeArtifact } from 'diad'
 * const k = new DomainKnowledge(domainId)
 * for (const bytes of artifacts) console.log(k.admit(decodeArtifact(bytes)))
 * for (const entry of k.view().current.values()) console.log(entry.name, entry.ref, entry.code)
 * ```
 */
export * from './substrate/artifact.js'
export * from './substrate/errors.js'
export * from './substrate/reference.js'
export * from './substrate/domain-id.js'
export * from './substrate/type-tags.js'
export { LIMITS } from './substrate/limits.js'
export { type Hasher, useHasher } from './substrate/hasher.js'
export { type Verifier, useVerifier, verifySignature } from './substrate/verifier.js'
export { type Purpose, type Signature, signatureCodec, signedMessage, type Signer } from './substrate/signature.js'
export { type Lane, laneCodec, type Snapshot, snapshotCodec } from './publication/lane.js'
export { DomainKnowledge } from './authority/knowledge.js'
export type { CurrentEntry, DomainView } from './authority/domain-view.js'
export { type Status, VERDICT_CODES, type Verdict } from './authority/verdict.js'
export type { Effect, ReplicaEvent, Report } from './federation/effects.js'
export { Replica } from './federation/replica.js'
