/** A signer for what a person names with `--key`: a key file, used where it lies and never copied. */
import type { Signer } from '../../substrate/signature.js'
import { loadKey } from './key-file.js'
import type { PassphraseSource } from './passphrase.js'

/** `spec` is an absolute path. Throws what {@link loadKey} throws. */
export async function openSigner (spec: string, passphrase: PassphraseSource): Promise<Signer> {
  return (await loadKey(spec, passphrase)).signer
}
