/**
 * AuthorityCertificate: says that a key acts for a domain. It has no signature of its own; the signatures over the RootEntry that names it cover it
 * (RULES T1). Only `domain_root` certificates are judged; those of principals are decoded and shown. Source: SCHEMA [02].
 */
import { artifactCodec } from '../substrate/codec.js'
import { checked, hash, oneOf, refOrNone, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { keyHash, roleSet, strongKey } from './shapes.js'

const shape = checked(
  struct({
    subject_type: oneOf('domain_root', 'principal'),
    subject_id: hash,
    subject_pubkey: strongKey,
    /** NONE in the certificate of a genesis, whose reference doesn't exist yet */
    domain_id: refOrNone,
    roles: roleSet(0),
    policy_hash: hash,
    issued_by: strongKey,
    version: uint()
  }),
  (c) => {
    if (c.subject_type === 'domain_root' && c.roles.length > 0) return 'no roles in a domain_root certificate'
    return c.subject_id === keyHash(c.subject_pubkey) ? undefined : 'a subject_id that is the SHA-256 of subject_pubkey'
  })

export type AuthorityCertificate = TypeOf<typeof shape>
export const certificateCodec = artifactCodec(TAG.authorityCertificate, 'AuthorityCertificate', shape)
