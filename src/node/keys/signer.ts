/** Ed25519 keys held by this process. */
import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { toHex } from '../../substrate/bytes.js'
import type { PublicKey } from '../../substrate/reference.js'
import type { Signer } from '../../substrate/signature.js'

/** The raw 32 bytes of the public half of an Ed25519 key, as hex. */
export function publicKeyOf (key: KeyObject): PublicKey {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return toHex(half.export({ format: 'der', type: 'spki' }).subarray(-32)) as PublicKey
}

export function createSigner (privateKey: KeyObject): Signer {
  return {
    publicKey: publicKeyOf(privateKey),
    sign: async (message) => new Uint8Array(sign(null, message, privateKey))
  }
}
