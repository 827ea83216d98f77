/** The libp2p identity of a node. It is an address and proves nothing about a domain, so it is kept unencrypted, and a lost one is simply replaced. */
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { createKeyFile, findKeyFile, loadKey } from '../keys/key-file.js'
import type { Home } from './home.js'

/** The node key of `home`, made at the first call. Throws what `createKeyFile` and `loadKey` throw. */
export async function openNodeKey (home: Home): Promise<PrivateKey> {
  const { root, nodeKeyName } = home.paths
  const source = { kind: 'none' } as const
  const path = findKeyFile(root, nodeKeyName) ?? (await createKeyFile({ directory: root, name: nodeKeyName, passphrase: source })).path
  const { privateKey } = await loadKey(path, source)
  const { d, x } = privateKey.export({ format: 'jwk' })
  // libp2p's raw form is seed and public key, one after the other.
  return privateKeyFromRaw(new Uint8Array(Buffer.concat([Buffer.from(d!, 'base64url'), Buffer.from(x!, 'base64url')])))
}
