/** Ed25519 with a nonce of the signer's choice: several valid signatures by one key over the same bytes. */
import * as ed from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, fromHex, toHex, utf8 } from '../../src/substrate/bytes.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Purpose, signatureCodec, signedMessage } from '../../src/substrate/signature.js'
import { type Item, itemOf, type TestKey } from './authority-fixtures.js'

/** Another valid signature by the same key over the same bytes: whoever holds a key may choose the nonce as he likes. */
export function resigned (key: TestKey, purpose: Purpose, target: Reference, nonce: string): Item {
  const { scalar } = ed.utils.getExtendedPublicKey(key.secret)
  const L = ed.Point.CURVE().n
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`)
  const r = number(sha512(utf8(nonce))) % L
  const R = ed.Point.BASE.multiply(r).toBytes()
  const s = (r + number(sha512(concatBytes(R, fromHex(key.publicKey), signedMessage(purpose, target)))) * scalar) % L
  return itemOf(signatureCodec.artifact({ target, purpose, public_key: key.publicKey, signature: toHex(R) + toHex(fromHex(s.toString(16).padStart(64, '0')).reverse()) }))
}
