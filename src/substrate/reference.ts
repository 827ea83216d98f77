/**
 * References and the other fixed-size identifiers. In memory each is lower-case hex text (so it can be a Map key and compares as its bytes do);
 * in encoded objects it is the bytes.
 *
 * Reference = u16 BE hash_id ‖ digest; hash_id 0x0001 = SHA-256 over ArtifactBytes. Source: protocols/substrate.md S-1 and S-2.
 */
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { fromHex, toHex } from './bytes.js'
import { MalformedError } from './errors.js'
import { oneCopy } from './recall.js'

declare const kind: unique symbol
type Id<K extends string> = string & { readonly [kind]: K }

/** 68 lower-case hex digits: ReferenceBytes. */
export type Reference = Id<'Reference'>
/** 64 lower-case hex digits: a bare SHA-256. */
export type Hash = Id<'Hash'>
/** 64 lower-case hex digits: an Ed25519 public key. */
export type PublicKey = Id<'PublicKey'>

export const REFERENCE_LENGTH = 34
const PREFIX = '0001'
const RAW_CODEC = 0x55
const SHA2_256 = 0x12

/** The zero Reference: hash_id 0x0001 and 32 zero bytes. Allowed only where a field's schema says so. */
export const NONE = (PREFIX + '0'.repeat(64)) as Reference

const REFERENCE_TEXT = /^0001[0-9a-f]{64}$/

export function isReference (text: string): text is Reference {
  return REFERENCE_TEXT.test(text)
}

export function referenceOfDigest (digest: Uint8Array): Reference {
  return (PREFIX + toHex(digest)) as Reference
}

/** The 32-byte digest inside `ref` as a Hash. */
export function digestOf (ref: Reference): Hash {
  return ref.slice(4) as Hash
}

/** The Reference whose digest is `hash`. */
export function referenceOfHash (hash: Hash): Reference {
  return (PREFIX + hash) as Reference
}

/** ReferenceBytes: 34 bytes. */
export function referenceBytes (ref: Reference): Uint8Array {
  return fromHex(ref)
}

/** Throws `MalformedError` when the length or the hash id is not ours. */
export function referenceFromBytes (bytes: Uint8Array): Reference {
  if (bytes.length !== REFERENCE_LENGTH) throw new MalformedError(`a reference has ${REFERENCE_LENGTH} bytes, not ${bytes.length}`)
  if (bytes[0] !== 0 || bytes[1] !== 1) throw new MalformedError('a reference starts with hash id 0x0001 (SHA-256)')
  return oneCopy(toHex(bytes) as Reference)
}

/** The same thing as CIDv1 (`raw`, sha2-256 of ArtifactBytes), base32 text. */
export function toCid (ref: Reference): string {
  return cidOf(ref).toString()
}

export function cidOf (ref: Reference): CID {
  return CID.createV1(RAW_CODEC, Digest.create(SHA2_256, fromHex(digestOf(ref))))
}

/** Throws `MalformedError` unless the CID is version 1, codec raw, sha2-256. */
export function fromCid (text: string): Reference {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (err) {
    throw new MalformedError('not a CID', { cause: err })
  }
  if (cid.version !== 1 || cid.code !== RAW_CODEC || cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32) {
    throw new MalformedError('a reference as CID is version 1, codec raw, hash sha2-256')
  }
  return referenceOfDigest(cid.multihash.digest)
}

/** Reads a reference as a person writes it: 68 hex digits or a CIDv1. Throws `MalformedError`. */
export function parseReference (text: string): Reference {
  if (isReference(text)) return text
  if (/^b[a-z2-7]{20,}$/.test(text)) return fromCid(text)
  throw new MalformedError(`"${text.length > 80 ? text.slice(0, 80) + '…' : text}" is not a reference (68 hex digits or a CIDv1)`)
}
