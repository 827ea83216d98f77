/** Who signs for the roots: keys found in directories, and keys that are named. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DiadError } from '../../../substrate/errors.js'
import { inputFailureAs } from '../../files/failure.js'
import { createFile, errorCode, replaceFile } from '../../home/atomic-file.js'
import type { Home } from '../../home/home.js'
import { demandOutside } from '../../home/outside.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { parseKeySpec } from '../../keys/key-spec.js'
import { openSigner } from '../../keys/open-signer.js'
import type { CommandIo } from '../../command.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { keysInWords, namesBeside, readRootNames, type RootNames } from '../../roots/root-names.js'
import { isComplete, MAX_REQUEST_BYTES, openRequest, outstanding, requestText, signRequest, type SigningRequest } from '../../roots/signing-request.js'
import type { Context } from '../context.js'
import type { KeyNames, RootSigning } from './types.js'

const NO_PASSPHRASE = { kind: 'none' as const }

/** The directories to look for root keys in: those given, else the home's own where they haven't been moved away yet. */
export function rootDirectories (context: Context, { roots, keys, request }: Pick<RootSigning, 'roots' | 'keys' | 'request'>): string[] {
  if (roots.length > 0) return roots
  const { offline } = context.home.paths
  return keys.length === 0 && request === undefined && existsSync(offline) ? [offline] : []
}

/** What root keys are called here: by the home at `root`, and by the `.pub` files in `directories` and beside key files. */
export function rootNames (root: string | undefined, directories: readonly string[], keys: readonly string[] = []): RootNames {
  const files = keys.filter((spec) => parseKeySpec(spec).kind === 'file')
  // Where a key lies now says more than what it was called when it was first seen.
  return new Map([...root === undefined ? [] : readRootNames(root), ...namesBeside([...directories, ...files.map((path) => dirname(path))])])
}

/** Those of them that are in `request`, as results hold them. */
export function namesIn (request: SigningRequest, names: RootNames): KeyNames {
  const { summary, rootSet } = request
  const asked = new Set([...rootSet.root_keys, ...summary.join(' ').match(/[0-9a-f]{64}/g) ?? []])
  return Object.fromEntries([...names].filter(([key]) => asked.has(key)))
}

/** The result with what this home calls the principals that its summary lists: to be asked when the key files have their last names. */
export function withPrincipals<T extends { readonly summary: readonly string[], readonly names?: KeyNames }> (home: Home, result: T): T {
  const asked = new Set(result.summary.join(' ').match(/[0-9a-f]{64}/g) ?? [])
  const known = [...readPrincipalNames(home)].filter(([id]) => asked.has(id))
  return known.length === 0 ? result : { ...result, names: { ...result.names, ...Object.fromEntries(known) } }
}

/** Signs with as many of the keys at hand as are needed. Throws what opening the keys throws. */
export async function signAtHand<R extends SigningRequest> (request: R, directories: readonly string[], keys: readonly string[], io: CommandIo): Promise<R> {
  let signed = request
  const passphrase = io.passphrase ?? NO_PASSPHRASE
  const open = async (spec: string, expected?: SigningRequest['rootSet']['root_keys'][number]): Promise<void> => {
    const signer = await openSigner(spec, passphrase, { signal: io.signal, ...(expected === undefined ? {} : { expected }) })
    try {
      signed = await signRequest(signed, signer)
    } finally {
      signer.close()
    }
  }
  for (const spec of keys) await open(spec)
  for (const [key, path] of findKeysOf(directories, outstanding(signed))) if (!isComplete(signed)) await open(path, key)
  return signed
}

/** Throws DiadError `signature-missing`: what has to be done before the entry can come into force. */
export function demandComplete (request: SigningRequest, names: RootNames, todo = 'name where the other root keys are (--roots DIR, --key KEY), or write a request with --request FILE'): void {
  if (isComplete(request)) return
  const { signatures, rootSet } = request
  throw new DiadError('signature-missing', `${signatures.length} of ${rootSet.threshold} needed root signatures were made`,
    `${todo}. Keys that can sign: ${keysInWords(outstanding(request), names)}`)
}

/** Throws DiadError `request-missing`, `request-refused`, `request-newer`. */
export function readRequest (path: string): SigningRequest {
  let text: string
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MAX_REQUEST_BYTES) throw new DiadError('request-refused', `${path} is larger than any signing request`, 'name the file that `diad root` wrote')
    text = bytes.toString('utf8')
  } catch (err) {
    if (err instanceof DiadError) throw err
    throw inputFailureAs('request-missing', err, path, 'the signing request')
  }
  return openRequest(text)
}

/** Before keys are made for a request that can't be written. Throws DiadError `unwritable`, `inside-home`. */
export function demandFree (path: string | undefined): void {
  if (path === undefined) return
  demandOutside(path)
  if (existsSync(path)) throw taken(path)
}

const taken = (path: string): DiadError => new DiadError('unwritable', `${path} exists already, and may hold signatures that somebody gathered`, 'name another file')

/** A new file; `signed`: over the one that was read, with a signature more. Throws DiadError `unwritable`. */
export function writeRequest (path: string, request: SigningRequest, signed = false): void {
  try {
    if (signed) replaceFile(path, requestText(request), 0o644)
    else createFile(path, requestText(request), 0o644)
  } catch (err) {
    if (errorCode(err) === 'EEXIST') throw taken(path)
    throw new DiadError('unwritable', `the signing request ${path} can't be written`, 'check the path and its permissions', { cause: err })
  }
}
