/**
 * The next manifest of a domain, written from the last one and what shall change. Pure: the caller signs and commits. Source: RULES M1, M3, M4, K1-K4.
 */
import type { Artifact } from '../substrate/artifact.js'
import type { Hash, PublicKey, Reference } from '../substrate/reference.js'
import type { DomainKnowledge } from './knowledge.js'
import type { NewPrincipal } from './mint.js'
import type { DomainAuthorityManifest } from './manifest.js'

/** Up to where a closed principal's lane stays valid: a head of it that is held; lanes that aren't listed end at 0 (K1). */
export type Keep = 'held' | 'nothing' | ReadonlyMap<Reference, Reference>

export interface Change {
  /** every principal from now on, with roles and scope; default: as they are */
  readonly principals?: readonly NewPrincipal[]
  /** closed in addition to those that lose something: principal id → what stays valid of their lanes */
  readonly close?: ReadonlyMap<Hash, Keep>
  /** what stays valid of the lanes of principals that lose something and aren't in `close`; default 'held' */
  readonly keep?: Keep
  /** cuts that end nothing: every held lane at its head (K4) */
  readonly anchor?: boolean
  /** a manifest under another root entry: its reference, the key it certifies, the policy's hash, and the manifest it follows */
  readonly under?: { readonly rootEntry: Reference, readonly rootKey: PublicKey, readonly policyHash: Hash, readonly previous: Reference }
}

export interface Amended {
  readonly manifest: DomainAuthorityManifest
  readonly ref: Reference
  /** the manifest and its cut lists, without the signature */
  readonly artifacts: readonly Artifact[]
  /** principals that it closes */
  readonly closed: readonly Hash[]
}

/** Throws DiadError `no-manifest`, `authority-forked`, `nothing-to-change`, `last-principal`, `principal-returns`, `root-key-reused`. */
export function amendManifest (_k: DomainKnowledge, _change: Change): Amended {
  throw new Error('being written')
}
