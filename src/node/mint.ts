/**
 * Makes a domain: offline root and the committed next root set (M8), the epoch's root_key, the first principal; genesis entry, certificate, policy,
 * manifest 1. Nothing is written before every object has been judged by the same code that strangers will use.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { certificateCodec } from '../authority/certificate.js'
import { manifestCodec } from '../authority/manifest.js'
import { DomainKnowledge } from '../authority/knowledge.js'
import { defaultPolicy, policyCodec, policyHash } from '../authority/policy.js'
import { rootCommitment, rootEntryCodec } from '../authority/root-entry.js'
import { rootSetCodec } from '../authority/root-set.js'
import { principalId } from '../publication/evidence.js'
import type { Artifact } from '../substrate/artifact.js'
import { toHex } from '../substrate/bytes.js'
import { NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { type Purpose, type Signer, signatureCodec, signedMessage } from '../substrate/signature.js'
import { createFile } from './home/atomic-file.js'
import { createKeyFile, loadKey, type NewKey } from './keys/key-file.js'
import { type PassphraseSource } from './keys/passphrase.js'

const ZERO = '0'.repeat(64)
const ALL_ROLES = ['federate', 'produce', 'publish'] as const

/** A signed target as an artifact. */
export async function signArtifact (signer: Signer, purpose: Purpose, target: Reference): Promise<Artifact> {
  const signature = toHex(await signer.sign(signedMessage(purpose, target)))
  return signatureCodec.artifact({ target, purpose, public_key: signer.publicKey, signature })
}

export interface MintInit {
  /** hot keys: root_key and principal */
  readonly keys: string
  /** cold keys, to be carried away: root-1, next-root-1 and what opens the commitment */
  readonly roots: string
  readonly passphrase: PassphraseSource
  readonly workFactor?: number
}

export interface Minted {
  readonly knowledge: DomainKnowledge
  readonly artifacts: readonly Artifact[]
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
  const next = await create(init.roots, 'next-root-1')
  const rootKey = await create(init.keys, 'root_key')
  const principal = await create(init.keys, 'principal')

  const rootSet = rootSetCodec.artifact({ version: 1, root_keys: [root.publicKey], threshold: 1, reserved0: 0 })
  const nextSetValue = { version: 1 as const, root_keys: [next.publicKey], threshold: 1, reserved0: 0 as const }
  const nextSalt = randomBytes(32).toString('hex')
  const policy = policyCodec.artifact(defaultPolicy)
  const certificate = certificateCodec.artifact({
    subject_type: 'domain_root',
    subject_id: principalId(rootKey.publicKey),
    subject_pubkey: rootKey.publicKey,
    domain_id: NONE,
    roles: [],
    policy_hash: policyHash(defaultPolicy),
    issued_by: root.publicKey,
    version: 0
  })
  const genesisValue = {
    domain_id: NONE,
    epoch: 0,
    previous: NONE,
    root_set: rootSetCodec.reference(rootSetCodec.from(rootSet)),
    salt: ZERO,
    next_commitment: rootCommitment(nextSalt, rootSetCodec.reference(nextSetValue)),
    certificate: certificateCodec.reference(certificateCodec.from(certificate)),
    base: NONE
  }
  const domain = rootEntryCodec.reference(genesisValue)
  const id = principalId(principal.publicKey)
  const manifestValue = {
    domain_id: domain,
    root_entry: domain,
    version: 1,
    previous: NONE,
    root_key: rootKey.publicKey,
    principals: [{ principal_id: id, public_key: principal.publicKey, roles: [...ALL_ROLES] }],
    policy_hash: policyHash(defaultPolicy),
    scope: [{ principal_id: id, prefixes: [''], programs: [NONE] }],
    closed: [],
    cuts: NONE
  }
  const artifacts = [
    rootSet, policy, certificate,
    rootEntryCodec.artifact(genesisValue), await signArtifact(root, 'root-entry', domain),
    manifestCodec.artifact(manifestValue), await signArtifact(rootKey, 'manifest', manifestCodec.reference(manifestValue))
  ]
  const knowledge = new DomainKnowledge(domain)
  for (const a of artifacts) {
    const { result, code } = knowledge.admit(a)
    if (result !== 'added') throw new Error(`a freshly minted object was not taken: ${code}`)
  }
  if (knowledge.authority().tip === undefined) throw new Error('a freshly minted domain has no manifest in force')
  writeCommitment(init.roots, nextSalt, domain, made)
  return { knowledge, artifacts, rootKey: rootKey.publicKey, principal: principal.publicKey }
}

/** What a later rotation needs beside the next root's key: without the salt the commitment can't be opened (M5). */
function writeCommitment (roots: string, salt: string, domain: Reference, made: string[]): void {
  const path = join(roots, 'next-commitment.json')
  made.push(path)
  createFile(path, JSON.stringify({ domain, salt, root_keys: 'next-root-1.pub', threshold: 1 }, null, 2) + '\n')
}
