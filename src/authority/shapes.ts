/** Field shapes that the authority objects share. Source: SCHEMA `role`, `key`; RULES T1; THREATS 9. */
import { fromHex, toHex } from '../substrate/bytes.js'
import { sha256Bytes } from '../substrate/hasher.js'
import type { Hash, PublicKey } from '../substrate/reference.js'
import { checked, list, oneOf, publicKey, type Shape } from '../substrate/shape.js'
import { isAdmissibleKey } from '../substrate/verifier.js'
import { type Role, ROLES } from './role-names.js'

/** A list whose length only the payload limit bounds. */
export const MANY = Number.MAX_SAFE_INTEGER

export function roleSet (min: number): Shape<Role[]> {
  return list(oneOf(...ROLES), { min, max: ROLES.length, ascending: (role) => role })
}

// Taking a point apart costs about 0.1 ms and every decode asks twice (once for the canonical form), while a domain's keys are few.
const REMEMBERED = 4096
const known = new Map<PublicKey, boolean>()

function admissible (key: PublicKey): boolean {
  let answer = known.get(key)
  if (answer === undefined) {
    if (known.size >= REMEMBERED) known.clear()
    answer = isAdmissibleKey(key)
    known.set(key, answer)
  }
  return answer
}

/** An Ed25519 key that the verification rule can ever say yes to: a small-order point would make one signature fit every message. */
export const strongKey: Shape<PublicKey> = checked(publicKey, (key) => admissible(key) ? undefined : 'a canonical Ed25519 key that is not of small order')

/** SHA-256 of the key's 32 bytes: the identity of a principal or of a certified key. */
export function keyHash (key: PublicKey): Hash {
  return toHex(sha256Bytes(fromHex(key))) as Hash
}
