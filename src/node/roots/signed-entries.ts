/**
 * What root keys signed by `diad sign`: beside the key file, where the next request meets it too, else in the home. Two entries for one epoch fork a
 * domain, two moves to different domains make its followers trust neither, and a machine with nothing but a key can't know of the other one in any other way. A memory aid, no proof. Source: RULES M5, M6, M8.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { domainText } from '../../substrate/domain-id.js'
import { isReference, type PublicKey, type Reference } from '../../substrate/reference.js'
import { errorCode, replaceFile } from '../home/atomic-file.js'
import { fieldsIn, textIn } from '../home/json-fields.js'
import { parseKeySpec } from '../keys/key-spec.js'
import type { SigningRequest } from './signing-request.js'

const FORMAT = { format: 'diad-signed-entries', version: 1 }
const FILE = 'signed-entries.json'
/** the epoch of a move, which has none */
const NO_EPOCH = -1
/** some thousand signatures */
const MAX_BYTES = 1024 * 1024

/** `at`: ISO 8601, UTC, for people only. */
interface Signed { readonly key: PublicKey, readonly domain: Reference, readonly epoch: number, readonly entry: Reference, readonly at: string, /** `entry` is a move there (M8) */ readonly to?: Reference }

type Warn = (line: string) => void

/** Where it stands for the key that `spec` names: beside its file first, then in the home at `root`. None for a token without a home. */
export function memoryPlaces (spec: string, root: string | undefined): string[] {
  const key = parseKeySpec(spec)
  return [...key.kind === 'file' ? [dirname(key.path)] : [], ...root === undefined ? [] : [root]].map((directory) => join(directory, FILE))
}

/** Throws MalformedError for a damaged one. */
function readSigned (path: string): Signed[] {
  try {
    if (statSync(path).size > MAX_BYTES) throw new MalformedError('it is too large')
    const fields = fieldsIn(FORMAT, readFileSync(path, 'utf8'))
    const signed = fields.get('signed')
    if (!Array.isArray(signed)) throw new MalformedError(`it is not ${FORMAT.format}, version ${FORMAT.version}`)
    return (signed as unknown[]).map(signedFrom)
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return []
    throw err
  }
}

function signedFrom (value: unknown): Signed {
  const one = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof Signed, unknown>>
  const { key, domain, epoch, entry, at, to } = one
  if (typeof key !== 'string' || typeof domain !== 'string' || typeof epoch !== 'number' || typeof entry !== 'string' || typeof at !== 'string') throw new MalformedError('an entry is damaged')
  return { key: key as PublicKey, domain: domain as Reference, epoch, entry: entry as Reference, at: at.replace(/[^0-9TZ:.-]/g, '').slice(0, 24), ...(typeof to === 'string' && isReference(to) ? { to } : {}) }
}

/** What the domain could come to harm by, signed twice: the entry of an epoch, or the domain that it goes on as. */
function placeOf (request: SigningRequest): { readonly epoch: number, readonly to?: Reference, readonly words: string, readonly code: string } {
  if (request.purpose === 'domain-moved') return { epoch: NO_EPOCH, to: request.move.to, words: 'another move of this domain', code: 'move-signed' }
  const { epoch } = request.entry
  return { epoch, words: `another entry for epoch ${epoch}`, code: 'epoch-signed' }
}

/**
 * Another entry of the same epoch that `key` signed, or a move to another domain, in words; undefined where none is known of. What can't be read is told by
 * `warn`, for then nobody remembers.
 */
export function otherSigned (places: readonly string[], key: PublicKey, request: SigningRequest, warn: Warn): string | undefined {
  const { domain, ref } = request
  const { epoch, to, words } = placeOf(request)
  for (const path of places) {
    try {
      const other = readSigned(path).findLast((s) => s.key === key && s.domain === domain && s.epoch === epoch && s.entry !== ref && (to === undefined || s.to !== to))
      const when = other === undefined || other.at === '' ? '' : ` (${other.at.slice(0, 10)})`
      if (other?.to !== undefined) return `this key has signed a move of this domain to ${domainText(other.to)}${when}. If both get enough signatures, its followers are told to trust neither`
      if (other !== undefined) return `this key has signed another entry for epoch ${epoch} of this domain${when}: ${other.entry}. If both get enough signatures, the domain forks`
    } catch (err) {
      warn(`${path} can't be read (${errorCode(err) || (err as Error).message}), so nothing here says whether this key signed ${words}`)
    }
  }
  return undefined
}

/** Throws DiadError `epoch-signed` or `move-signed` with {@link otherSigned}, unless `again`. */
export function demandFirst (places: readonly string[], key: PublicKey, request: SigningRequest, again: boolean, warn: Warn): void {
  const other = otherSigned(places, key, request, warn)
  if (other === undefined) return
  if (!again) throw new DiadError(placeOf(request).code, other, 'nothing was signed. Ask what became of the other one; where it never came into force and never will: --again')
  warn(`signing all the same, as --again says: ${other}`)
}

/** To be called before the signature leaves. In the first place that can be written; where none can, `warn` says so. */
export function rememberSigned (places: readonly string[], key: PublicKey, request: SigningRequest, at: Date, warn: Warn): void {
  const { domain, ref } = request
  const { epoch, to, words } = placeOf(request)
  // A genesis is a domain of its own, so there is no other one for its epoch.
  if (epoch === 0) return
  let why = 'the key is in no file, and there is no home here'
  for (const path of places) {
    try {
      const all = readSigned(path)
      if (all.some((s) => s.key === key && s.entry === ref)) return
      replaceFile(path, textIn(FORMAT, { signed: [...all, { key, domain, epoch, entry: ref, at: at.toISOString(), ...(to === undefined ? {} : { to }) }] }))
      return
    } catch (err) {
      why = err instanceof DiadError ? err.message : `${path}: ${errorCode(err) || (err as Error).message}`
    }
  }
  warn(`nothing remembers this signature (${why}): note that this key has signed ${ref}, and never sign ${words}`)
}
