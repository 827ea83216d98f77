/** Makes the keys of a new domain and mints it (authority/mint.ts). Nothing of a domain that failed its own judgement stays behind. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Genesis, mintGenesis } from '../authority/mint.js'
import type { PublicKey, Reference } from '../substrate/reference.js'
import type { Signer } from '../substrate/signature.js'
import { createFile } from './home/atomic-file.js'
import { createKeyFile, loadKey, type NewKey } from './keys/key-file.js'
import { type PassphraseSource } from './keys/passphrase.js'

const ALL_ROLES = ['federate', 'produce', 'publish'] as const

export interface MintInit {
  /** hot keys: root_key and principal */
  readonly keys: string
  /** cold keys, to be carried away: root-1, next-root-1 and what opens the commitment */
  readonly roots: string
  readonly passphrase: PassphraseSource
  readonly workFactor?: number
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
    return (await loadKey(path, passphrase)).signer
  }
  const root = await create(init.roots, 'root-1')
  const nextRoot = (await create(init.roots, 'next-root-1')).publicKey
  const rootKey = await create(init.keys, 'root_key')
  const principal = (await create(init.keys, 'principal')).publicKey
  const nextSalt = randomBytes(32).toString('hex')
  const genesis = await mintGenesis({ root, nextRoot, nextSalt, rootKey, principals: [{ publicKey: principal, roles: ALL_ROLES, prefixes: [''] }] })
  writeCommitment(init.roots, nextSalt, genesis.knowledge.domain, made)
  return { ...genesis, rootKey: rootKey.publicKey, principal }
}

/** What a later rotation needs beside the next root's key: without the salt the commitment can't be opened (M5). */
function writeCommitment (roots: string, salt: string, domain: Reference, made: string[]): void {
  const path = join(roots, 'next-commitment.json')
  made.push(path)
  createFile(path, JSON.stringify({ domain, salt, root_keys: 'next-root-1.pub', threshold: 1 }, null, 2) + '\n')
}
