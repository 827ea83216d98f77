/**
 * What the owner of this home calls principals: `ci` instead of 64 hex digits. Local, never published (RULES N1). A key file in the home names its
 * principal by itself: `principal`, or what was given to `diad key new`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { principalId } from '../../publication/evidence.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Hash, PublicKey } from '../../substrate/reference.js'
import type { Home } from './home.js'
import { readNameFile, writeNameFile } from './name-file.js'

/** Hex digits of a prefix that is taken for a principal id or a public key. */
export const MIN_DIGITS = 8
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const PUBLIC = '.pub'
const SSH_HEAD = `0000000b${Buffer.from('ssh-ed25519').toString('hex')}00000020`

/** Why `text` can't name a principal; undefined when it can. */
export function principalNameFault (text: string): string | undefined {
  if (!NAME.test(text)) return 'use 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first'
  return /^[0-9a-f]{8,}$/i.test(text) ? `${MIN_DIGITS} or more hex digits are read as a key` : undefined
}

/** Names by principal id; names that were given stand before those of key files. Throws DiadError `names-damaged`. */
export function readPrincipalNames (home: Home): Map<Hash, string> {
  const out = new Map<Hash, string>()
  for (const { name, publicKey } of homeKeys(home)) out.set(principalId(publicKey), name)
  for (const [name, id] of readFile(home)) out.set(id, name)
  return out
}

/** The public keys recorded in the home, by file name; what isn't one is passed over. */
export function homeKeys (home: Home): Array<{ name: string, publicKey: PublicKey }> {
  let files: string[]
  try {
    files = readdirSync(home.paths.keys)
  } catch {
    return []
  }
  return files.filter((f) => f.endsWith(PUBLIC)).sort().flatMap((file) => {
    const publicKey = publicKeyIn(join(home.paths.keys, file))
    return publicKey === undefined ? [] : [{ name: file.slice(0, -PUBLIC.length), publicKey }]
  })
}

/** What a `.pub` file says, ours or OpenSSH's (`ssh-ed25519 AAAA… comment`), or undefined when it says no Ed25519 key. */
export function publicKeyIn (path: string): PublicKey | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
  if (/^[0-9a-f]{64}$/.test(text)) return text as PublicKey
  const base64 = /^ssh-ed25519 ([A-Za-z0-9+/]{68})(?: |$)/.exec(text)?.[1]
  // Two strings, each behind its length in four bytes: the type and the key.
  const blob = Buffer.from(base64 ?? '', 'base64').toString('hex')
  return blob.startsWith(SSH_HEAD) ? blob.slice(SSH_HEAD.length) as PublicKey : undefined
}

/** Gives a principal a name. Durable on return. Throws DiadError `malformed`, or `name-taken`: a name never moves silently. */
export function setPrincipalName (home: Home, name: string, id: Hash): void {
  checkPrincipalName(home, name, id)
  const names = readFile(home)
  for (const [old, held] of names) if (held === id) names.delete(old)
  writeFile(home, names.set(name, id))
}

/** Throws as {@link setPrincipalName}, without doing it. */
export function checkPrincipalName (home: Home, name: string, id: Hash): void {
  const fault = principalNameFault(name)
  if (fault !== undefined) throw new DiadError('malformed', `${JSON.stringify(name.slice(0, 80))} can't be the name of a principal`, fault)
  for (const [held, known] of readPrincipalNames(home)) {
    if (known === name && held !== id) throw new DiadError('name-taken', `${name} is already the name of the principal ${held}`, 'choose another name')
  }
}

/** What `resolvePrincipal` chooses among. */
export interface Known { readonly id: Hash, readonly publicKey: PublicKey }

/**
 * The principal that a person means, of `known`: a name, an id or a public key, or 8 or more digits that begin exactly one. Throws DiadError
 * `unknown-principal`, `ambiguous-prefix`.
 */
export function resolvePrincipal <T extends Known> (home: Home, text: string, known: readonly T[]): T {
  const names = readPrincipalNames(home)
  const named = known.find((p) => names.get(p.id) === text)
  if (named !== undefined) return named
  const some = known.slice(0, 5).map((p) => names.get(p.id) ?? p.id.slice(0, 12)).join(', ')
  const hint = `known here: ${some === '' ? 'nobody' : some}; the first ${MIN_DIGITS} digits of an id or a key will do`
  if (!/^[0-9a-f]{8,64}$/.test(text)) throw new DiadError('unknown-principal', `no principal is called ${JSON.stringify(text.slice(0, 80))} here`, hint)
  const found = known.filter((p) => p.id.startsWith(text) || p.publicKey.startsWith(text))
  const [first] = found
  if (first === undefined) throw new DiadError('unknown-principal', `no principal of this domain begins with ${text}`, hint)
  if (found.length > 1) throw new DiadError('ambiguous-prefix', `${found.length} principals begin with ${text}`, `give more digits: ${found.slice(0, 5).map((p) => p.id).join(', ')}`)
  return first
}

function readFile (home: Home): Map<string, Hash> {
  return readNameFile(home.paths.principals, 'names-damaged', (name, id) => {
    if (principalNameFault(name) !== undefined || typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id)) throw new MalformedError(`not a name with a principal id: ${JSON.stringify(name.slice(0, 80))}`)
    return id as Hash
  })
}

function writeFile (home: Home, names: ReadonlyMap<string, Hash>): void {
  writeNameFile(home.paths.principals, names)
}
