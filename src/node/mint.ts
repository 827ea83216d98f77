/** Makes the keys of a new domain and mints it (authority/mint.ts). Nothing of a domain that failed its own judgement stays behind. */
import { rmSync } from 'node:fs'
import { type Genesis, mintGenesis } from '../authority/mint.js'
import { rootSetFrom } from '../authority/root-set.js'
import type { PublicKey } from '../substrate/reference.js'
import type { Signer } from '../substrate/signature.js'
import { nextRootKeyName, rootKeyName } from './home/offline.js'
import { createKeyFile, loadKey, type NewKey } from './keys/key-file.js'
import { type PassphraseSource } from './keys/passphrase.js'
import { freshSalt, writeNextCommitment } from './roots/next-commitment.js'

export const ALL_ROLES = ['federate', 'produce', 'publish'] as const

export interface MintInit {
  /** hot keys: root_key and principal */
  readonly keys: string
  /** cold keys, to be carried away: root-1…, next-root-1… and what opens the commitment */
  readonly roots: string
  /** of each of the two root sets, 1 to 9; default 1 */
  readonly rootKeys?: number
  /** how many of them have to sign; default 1 */
  readonly threshold?: number
  readonly passphrase: PassphraseSource
  readonly workFactor?: number
  /** looked at between two keys: making them takes seconds */
  readonly signal?: AbortSignal
}

export interface Minted extends Genesis {
  readonly rootKey: PublicKey
  readonly principal: PublicKey
}

/** On failure the keys made on the way are removed again, so that a second try isn't refused for the first one's leftovers. */
export async function mintDomain (init: MintInit): Promise<Minted> {
  const made: string[] = []
  try {
    return await mint(init, made)
  } catch (err) {
    for (const path of made) rmSync(path, { force: true })
    throw err
  }
}

async function mint (init: MintInit, made: string[]): Promise<Minted> {
  const { passphrase } = init
  const create = async (directory: string, name: string): Promise<Signer> => {
    const key: NewKey = { directory, name, passphrase, ...(init.workFactor === undefined ? {} : { workFactor: init.workFactor }) }
    const { path } = await createKeyFile(key)
    made.push(path, path.replace(/\.key(\.age)?$/, '.pub'))
    init.signal?.throwIfAborted()
    return (await loadKey(path, passphrase)).signer
  }
  const { rootKeys = 1, threshold = 1 } = init
  const root: Signer[] = []
  const nextRoot: PublicKey[] = []
  for (let n = 1; n <= rootKeys; n++) root.push(await create(init.roots, rootKeyName(n)))
  for (let n = 1; n <= rootKeys; n++) nextRoot.push((await create(init.roots, nextRootKeyName(n))).publicKey)
  const rootKey = await create(init.keys, 'root_key')
  const principal = (await create(init.keys, 'principal')).publicKey
  const nextSalt = freshSalt()
  const genesis = await mintGenesis({ root, nextRoot, nextSalt, threshold, rootKey, principals: [{ publicKey: principal, roles: ALL_ROLES, prefixes: [''] }] })
  made.push(writeNextCommitment(init.roots, { domain: genesis.knowledge.domain, salt: nextSalt, set: rootSetFrom(nextRoot, threshold) }))
  return { ...genesis, rootKey: rootKey.publicKey, principal }
}
