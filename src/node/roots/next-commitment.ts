/**
 * `next-commitment.json`: what a rotation needs beside the private keys of the next root set. Without the salt the commitment can't be opened (M5), so
 * each stick that holds a next key should hold a copy.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCommitment } from '../../authority/root-entry.js'
import { type OfflineRootSet, rootSetCodec, rootSetFrom } from '../../authority/root-set.js'
import { domainText, parseDomain } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Hash, PublicKey, Reference } from '../../substrate/reference.js'
import { createFile, errorCode } from '../home/atomic-file.js'
import { fieldsIn, textIn } from '../home/json-fields.js'

export const COMMITMENT_FILE = 'next-commitment.json'
const FORMAT = { format: 'diad-next-commitment', version: 1 }

export interface NextCommitment {
  readonly domain: Reference
  readonly set: OfflineRootSet
  /** 32 bytes as hex */
  readonly salt: string
}

export function freshSalt (): string {
  return randomBytes(32).toString('hex')
}

export function commitmentOf ({ set, salt }: Pick<NextCommitment, 'set' | 'salt'>): Hash {
  return rootCommitment(salt, rootSetCodec.reference(set))
}

/** Never over an existing one. Returns its path. Throws DiadError `key-exists`. */
export function writeNextCommitment (directory: string, { domain, set, salt }: NextCommitment): string {
  const path = join(directory, COMMITMENT_FILE)
  const { root_keys, threshold } = set
  try {
    createFile(path, textIn(FORMAT, { domain: domainText(domain), salt, root_keys, threshold }))
  } catch (err) {
    if (errorCode(err) === 'EEXIST') throw new DiadError('key-exists', `${path} exists already, and a commitment is never overwritten`, 'name an empty directory')
    throw err
  }
  return path
}

/** For people whose next root keys are elsewhere: only this file is here, and nobody shall look for keys beside it. */
export function commitmentAdvice (path: string): string {
  return `put a copy of ${path} beside each key of the next root set: it isn't secret, but without it those keys can never take over`
}

/** Throws DiadError `commitment-missing`, `commitment-damaged`. */
export function readNextCommitment (path: string): NextCommitment {
  const damaged = (why: string, cause?: unknown): DiadError => new DiadError('commitment-damaged', `${path} is damaged: ${why}`, 'take the copy from another stick', { cause })
  let fields: Map<string, unknown>
  try {
    fields = fieldsIn(FORMAT, readFileSync(path, 'utf8'))
  } catch (err) {
    if (err instanceof MalformedError) throw damaged(err.message, err)
    throw new DiadError('commitment-missing', `${path} can't be read`, 'it was written beside the next root keys: is the stick mounted that holds them?', { cause: err })
  }
  const domain = fields.get('domain')
  const salt = fields.get('salt')
  const keys = fields.get('root_keys')
  if (typeof domain !== 'string' || typeof salt !== 'string' || !/^[0-9a-f]{64}$/.test(salt)) throw damaged('domain or salt is missing')
  if (!Array.isArray(keys) || !keys.every((k): k is PublicKey => typeof k === 'string' && /^[0-9a-f]{64}$/.test(k))) throw damaged('it lists no root keys')
  try {
    return { domain: parseDomain(domain), salt, set: rootSetFrom(keys, Number(fields.get('threshold'))) }
  } catch (err) {
    throw damaged((err as Error).message, err)
  }
}
