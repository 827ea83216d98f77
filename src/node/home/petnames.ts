/** Petnames: what the owner of this home calls domains (RULES N1). Local, never published. And reading a domain as a person writes it. */
import { readFileSync } from 'node:fs'
import { domainText, parseDomain } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { NONE, type Reference } from '../../substrate/reference.js'
import { errorCode, replaceFile } from './atomic-file.js'
import type { Home } from './home.js'
import { checkPetname, isPetname } from './petname.js'

/** Hex digits of a prefix that is taken for a domain: 8 beyond the constant hash id, which nobody hits by mistyping. */
const MIN_PREFIX_DIGITS = 12

/** All petnames, the own domain's among them. Throws DiadError `petnames-damaged`. */
export function readPetnames (home: Home): Map<string, Reference> {
  const names = new Map<string, Reference>()
  if (home.name !== undefined && home.domain !== undefined) names.set(home.name, home.domain)
  for (const [name, domain] of readFile(home)) if (!names.has(name)) names.set(name, domain)
  return names
}

/** The petname of `domain`, or undefined. */
export function petnameOf (names: ReadonlyMap<string, Reference>, domain: Reference): string | undefined {
  for (const [name, named] of names) if (named === domain) return name
  return undefined
}

/**
 * Gives `domain` a name. Durable on return. Throws DiadError `malformed`, or `petname-taken` when another domain has it: a name that silently moves to
 * another domain is how people are deceived.
 */
export function setPetname (home: Home, name: string, domain: Reference): void {
  checkPetname(name)
  const taken = readPetnames(home).get(name)
  if (taken !== undefined && taken !== domain) {
    throw new DiadError('petname-taken', `${name} is already the name of ${domainText(taken)}`, 'choose another name, or remove that one first')
  }
  const names = readFile(home)
  if (names.get(name) !== domain) writeFile(home, names.set(name, domain))
}

/** Whether there was such a name. The own domain's stays. */
export function removePetname (home: Home, name: string): boolean {
  const names = readFile(home)
  const found = names.delete(name)
  if (found) writeFile(home, names)
  return found
}

/**
 * The domain that a person means: a DomainID (dom1…, 68 hex digits, CIDv1), a petname, or the first 12 or more hex digits of one of the domains that
 * `known` gives. Throws `MalformedError`, DiadError `unknown-domain-name` or `ambiguous-prefix`.
 */
export function resolveDomain (home: Home, text: string, known: () => Iterable<Reference>): Reference {
  if (isWhole(text)) {
    const domain = readDomain(text)
    if (domain === NONE) throw new MalformedError('the zero reference is not a DomainID')
    return domain
  }
  const names = readPetnames(home)
  const named = names.get(text.normalize('NFC'))
  if (named !== undefined) return named
  if (/^[0-9a-f]+$/.test(text)) {
    if (text.length >= MIN_PREFIX_DIGITS) return byPrefix(text, known())
    throw new DiadError('unknown-domain-name', `no domain is called ${shown(text)} here, and as the beginning of a DomainID it is too short`, `give at least ${MIN_PREFIX_DIGITS} of its hex digits, or the whole DomainID`)
  }
  if (/^bafk/i.test(text)) throw new MalformedError(`${shown(text)} is not a reference: not a CIDv1 in base32, complete and in lower case`)
  if (!isPetname(text.normalize('NFC'))) throw new MalformedError(`${shown(text)} is neither a DomainID nor a petname`)
  const some = [...names.keys()].slice(0, 5).join(', ')
  throw new DiadError('unknown-domain-name', `no domain is called ${shown(text)} here`,
    `${some === '' ? 'there are no petnames yet' : `known names: ${some}`}; a DomainID or the first ${MIN_PREFIX_DIGITS} of its hex digits will do too`)
}

/** What can be nothing but a whole DomainID, well written or not. */
function isWhole (text: string): boolean {
  return /^dom1/i.test(text) || /^b[a-z2-7]{20,}$/.test(text) || /^[0-9a-f]{68,}$/.test(text)
}

function readDomain (text: string): Reference {
  try {
    return parseDomain(text)
  } catch (err) {
    // A CID's reader doesn't say what it read.
    if (!(err instanceof MalformedError) || err.message.includes(text.slice(0, 12))) throw err
    throw new MalformedError(`${shown(text)} is not a reference: ${err.message}`, { cause: err })
  }
}

function byPrefix (prefix: string, known: Iterable<Reference>): Reference {
  const found = new Set<Reference>()
  for (const domain of known) if (domain.startsWith(prefix)) found.add(domain)
  const [first, ...others] = found
  if (first === undefined) {
    throw new DiadError('unknown-domain-name', `no domain known here starts with ${prefix}`, 'give the whole DomainID')
  }
  if (others.length > 0) {
    throw new DiadError('ambiguous-prefix', `${found.size} domains start with ${prefix}`, `give more digits: ${[...found].slice(0, 5).join(', ')}`)
  }
  return first
}

function shown (text: string): string {
  return JSON.stringify(text.length > 80 ? text.slice(0, 80) + '…' : text)
}

function readFile (home: Home): Map<string, Reference> {
  const path = home.paths.petnames
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedError('not an object')
    const names = new Map<string, Reference>()
    for (const [name, domain] of Object.entries(value)) {
      if (!isPetname(name) || typeof domain !== 'string') throw new MalformedError(`not a petname: ${shown(name)}`)
      names.set(name, parseDomain(domain))
    }
    return names
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return new Map()
    throw new DiadError('petnames-damaged', `${path} can't be read as a list of names`, 'mend it or move it away; it holds names only, no keys', { cause: err })
  }
}

function writeFile (home: Home, names: ReadonlyMap<string, Reference>): void {
  const sorted = [...names].sort(([a], [b]) => a < b ? -1 : 1).map(([name, domain]) => [name, domainText(domain)])
  replaceFile(home.paths.petnames, JSON.stringify(Object.fromEntries(sorted), null, 2) + '\n')
}
