/** Ed25519 keys that come from the seed, and a verifier that remembers: verification is pure, so a thousand nodes needn't do it a thousand times. */
import { createPrivateKey } from 'node:crypto'
import { createSigner } from '../../src/node/keys/signer.js'
import { createNativeVerifier, nativeHasher } from '../../src/node/native-crypto.js'
import { toHex, utf8 } from '../../src/substrate/bytes.js'
import { sha256Bytes, useHasher } from '../../src/substrate/hasher.js'
import { rememberPureResults } from '../../src/substrate/recall.js'
import type { Signer } from '../../src/substrate/signature.js'
import { useVerifier } from '../../src/substrate/verifier.js'

/** verifications remembered: about 100 MB */
const REMEMBERED = 400_000

export function signerFrom (seed: number, label: string): Signer {
  const d = Buffer.from(sha256Bytes(utf8(`diad simulator key ${seed} ${label}`))).toString('base64url')
  // As a JWK, for a large federation has ten thousand keys: 23 µs instead of 290 for PKCS#8. The public half is derived from `d`; `x` is asked for but not read.
  return createSigner(createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: d }, format: 'jwk' }))
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
