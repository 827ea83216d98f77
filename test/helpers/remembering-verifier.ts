/** A verifier that remembers, for tests that judge one world many times: verification is pure, so once is enough. */
import { installNativeCrypto, nativeVerifier } from '../../src/node/native-crypto.js'
import { toHex } from '../../src/substrate/bytes.js'
import { useVerifier } from '../../src/substrate/verifier.js'

/** For the whole process. Unlike the simulator's it leaves decoding and hashing alone, which these tests are about. */
export function useRememberingVerifier (): void {
  installNativeCrypto()
  const known = new Map<string, boolean>()
  useVerifier({
    verify (key, message, signature) {
      const at = `${key}${toHex(message)}${toHex(signature)}`
      let holds = known.get(at)
      if (holds === undefined) known.set(at, holds = nativeVerifier.verify(key, message, signature))
      return holds
    }
  })
}
