/** Ed25519 keys, those held by this process and those that others hold. */
import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { toHex } from '../../substrate/bytes.js'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import type { Signer } from '../../substrate/signature.js'
import { isAdmissibleKey, verifySignature } from '../../substrate/verifier.js'

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

/**
 * A signer whose key is elsewhere (`where`, for people). What comes back is verified before anybody uses it: a signature that doesn't hold would be
 * refused by every reader, and a head with it can't be taken back. Throws DiadError `key-type`; `sign` throws `signer-lied`.
 */
export function verifiedSigner (publicKey: PublicKey, where: string, sign: (message: Uint8Array) => Promise<Uint8Array>): Signer {
  if (!isAdmissibleKey(publicKey)) throw new DiadError('key-type', `${where} names ${publicKey}, which is no Ed25519 key that anybody accepts`, 'make a new key there')
  return {
    publicKey,
    async sign (message) {
      const signature = await sign(message)
      if (!verifySignature(publicKey, message, signature)) {
        throw new DiadError('signer-lied', `${where} returned a signature that the key ${publicKey} didn't make`, 'nothing was signed; don\'t use it before you know why')
      }
      return signature
    }
  }
}

export interface OpenedSigner extends Signer {
  /** Lets go of what holds the key: a token's session. Not needed before the end of the process. */
  close: () => void
}
