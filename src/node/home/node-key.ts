/** The libp2p identity of a node. It is an address and proves nothing about a domain, so it is kept unencrypted, and a lost one is simply replaced. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { createKeyFile, findKeyFile, loadKey } from '../keys/key-file.js'
import type { Home } from './home.js'

/** The node key of `home`, made at the first call, and anew where the private half is gone: the public one alone is worth nothing. Throws what `createKeyFile` and `loadKey` throw. */
export async function openNodeKey (home: Home): Promise<PrivateKey> {
  const { root, nodeKeyName } = home.paths
  const source = { kind: 'none' } as const
  const path = findKeyFile(root, nodeKeyName) ?? await fresh(root, nodeKeyName)
  const { privateKey } = await loadKey(path, source)
  const { d, x } = privateKey.export({ format: 'jwk' })
  // libp2p's raw form is seed and public key, one after the other.
  return privateKeyFromRaw(new Uint8Array(Buffer.concat([Buffer.from(d!, 'base64url'), Buffer.from(x!, 'base64url')])))
}

async function fresh (directory: string, name: string): Promise<string> {
  rmSync(join(directory, `${name}.pub`), { force: true })
  return (await createKeyFile({ directory, name, passphrase: { kind: 'none' } })).path
}
