/** RootEntry: one link of the root chain. The Reference of the genesis (epoch 0) is the DomainID. Source: SCHEMA [03], RULES M5. */
import { fromHex, toHex, utf8 } from '../substrate/bytes.js'
import { artifactCodec } from '../substrate/codec.js'
import { sha256Bytes } from '../substrate/hasher.js'
import { type Hash, NONE, type Reference, referenceBytes } from '../substrate/reference.js'
import { checked, hash, hex, ref, refOrNone, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'

/** The salt of a genesis and of a renew, and the commitment that no entry may carry (a domain without one is at the mercy of retired roots). */
export const ZERO_32 = '0'.repeat(64)

const shape = checked(
  struct({
    domain_id: refOrNone,
    epoch: uint(),
    previous: refOrNone,
    root_set: ref,
    salt: hex(32),
    next_commitment: hash,
    certificate: ref,
    base: refOrNone
  }),
  (e) => {
    if (e.next_commitment === ZERO_32) return 'a commitment to the next root set'
    if (e.epoch === 0) {
      const zero = e.domain_id === NONE && e.previous === NONE && e.base === NONE && e.salt === ZERO_32
      return zero ? undefined : 'zero domain_id, previous, base and salt in a genesis'
    }
    return e.domain_id !== NONE && e.previous !== NONE && e.base !== NONE ? undefined : 'domain_id, previous and base other than zero after the genesis'
  })

export type RootEntry = TypeOf<typeof shape>
export const rootEntryCodec = artifactCodec(TAG.rootEntry, 'RootEntry', shape)

const COMMITMENT_PREFIX = utf8('diad/root-commitment/1')

/** What an entry commits to: SHA-256("diad/root-commitment/1" ‖ salt ‖ ReferenceBytes(root set)). `salt` is 32 bytes as hex. */
export function rootCommitment (salt: string, rootSet: Reference): Hash {
  return toHex(sha256Bytes(COMMITMENT_PREFIX, fromHex(salt), referenceBytes(rootSet))) as Hash
}
