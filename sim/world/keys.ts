/** Ed25519 keys that come from the seed, and a verifier that remembers: verification is pure, so a thousand nodes needn't do it a thousand times. */
import { createPrivateKey } from 'node:crypto'
import { createSigner } from '../../src/node/keys/signer.js'
import { createNativeVerifier, nativeHasher } from '../../src/node/native-crypto.js'
import { fromHex, toHex, utf8 } from '../../src/substrate/bytes.js'
import { sha256Bytes, useHasher } from '../../src/substrate/hasher.js'
import { rememberPureResults } from '../../src/substrate/recall.js'
import type { Signer } from '../../src/substrate/signature.js'
import { useVerifier } from '../../src/substrate/verifier.js'

/** PKCS#8 in front of the 32 bytes of an Ed25519 seed (RFC 8410). */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
/** verifications remembered: about 100 MB */
const REMEMBERED = 400_000

export function signerFrom (seed: number, label: string): Signer {
  const secret = sha256Bytes(utf8(`diad simulator key ${seed} ${label}`))
  const der = Buffer.concat([PKCS8_PREFIX, secret])
  return createSigner(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** Counts real verifications, so that a run can say what memory spared it. */
export function useRememberingVerifier (): { verified: () => number } {
  useHasher(nativeHasher)
  rememberPureResults()
  const native = createNativeVerifier()
  let verified = 0
  let results = new Map<string, boolean>()
  useVerifier({
    verify (key, message, signature) {
      const id = toHex(signature) + key + toHex(sha256Bytes(message))
      const known = results.get(id)
      if (known !== undefined) return known
      verified++
      const result = native.verify(key, message, signature)
      if (results.size >= REMEMBERED) results = new Map()
      results.set(id, result)
      return result
    }
  })
  return { verified: () => verified }
}
