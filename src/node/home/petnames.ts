/** Petnames: what the owner of this home calls domains (RULES N1). Local, never published. And reading a domain as a person writes it. */
import { domainText, parseDomain } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { NONE, type Reference } from '../../substrate/reference.js'
import type { Home } from './home.js'
import { readNameFile, writeNameFile } from './name-file.js'
import { checkPetname, isPetname, MOST_LETTERS } from './petname.js'

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
 * Gives `domain` a name, in the place of the one it had. Durable on return. Throws DiadError `own-domain`, and what {@link demandFree} throws.
 */
export function setPetname (home: Home, name: string, domain: Reference): void {
  demandFree(home, name, domain)
  const own = domain === home.domain ? home.name : undefined
  if (own === name) return
  if (own !== undefined) throw new DiadError('own-domain', `this home's own domain is called ${own} here, and stays so`, 'other domains can be given a name')
  const names = readFile(home)
  if (names.get(name) === domain) return
  for (const [old, named] of names) if (named === domain) names.delete(old)
  writeFile(home, names.set(name, domain))
}

/**
 * Throws DiadError `malformed`, or `petname-taken` where another domain than `domain` has the name: one that silently moves to another domain is how people
 * are deceived.
 */
export function demandFree (home: Home, name: string, domain: Reference): void {
  checkPetname(name)
  const taken = readPetnames(home).get(name)
  if (taken === undefined || taken === domain) return
  throw new DiadError('petname-taken', `${name} is already the name of ${domainText(taken)}`, taken === home.domain ? 'choose another name: that is this home\'s own domain' : `choose another name, or take it from that one first: diad name ${name} --remove`)
}

/** behind the name of a domain that moved */
const BEFORE = '-before'

/**
 * M8: `to` is called from now on what `from` was called, and that keeps its name with `-before` behind it; durable on return, both or neither. Returns what
 * `from` is called now, where something changed: own domains keep their names, and what was passed on once is not passed on again.
 */
export function passPetname (home: Home, from: Reference, to: Reference): string | undefined {
  const names = readFile(home)
  const [name, now] = [petnameOf(names, from), petnameOf(names, to)]
  if (name === undefined || from === home.domain || to === home.domain || (now !== undefined && name.startsWith(now + BEFORE))) return undefined
  const taken = readPetnames(home)
  let before = withSuffix(name, BEFORE)
  for (let n = 2; taken.has(before); n++) before = withSuffix(name, `${BEFORE}-${n}`)
  if (now !== undefined) names.delete(now)
  writeFile(home, names.set(name, to).set(before, from))
  return before
}

const withSuffix = (name: string, suffix: string): string => Array.from(name).slice(0, MOST_LETTERS - suffix.length).join('') + suffix

/** The name that `domain` had, or undefined. Throws DiadError `own-domain`. */
export function removePetname (home: Home, domain: Reference): string | undefined {
  if (domain === home.domain && home.name !== undefined) throw new DiadError('own-domain', `this home's own domain keeps its name, ${home.name}`, '')
  const names = readFile(home)
  const had = petnameOf(names, domain)
  for (const [name, named] of names) if (named === domain) names.delete(name)
  if (had !== undefined) writeFile(home, names)
  return had
}

/**
 * The domain that a person means: a DomainID (dom1…, 68 hex digits, CIDv1), a petname, or the first 12 or more hex digits of one of the domains that
 * `known` gives. Throws `MalformedError`, DiadError `unknown-domain-name` or `ambiguous-prefix`.
 */
export function resolveDomain (home: Home, text: string, known: () => Iterable<Reference>): Reference {
  if (isWholeDomain(text)) {
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
export function isWholeDomain (text: string): boolean {
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
  return readNameFile(home.paths.petnames, 'petnames-damaged', (name, domain) => {
    if (!isPetname(name) || typeof domain !== 'string') throw new MalformedError(`not a petname: ${shown(name)}`)
    return parseDomain(domain)
  })
}

function writeFile (home: Home, names: ReadonlyMap<string, Reference>): void {
  writeNameFile(home.paths.petnames, new Map([...names].map(([name, domain]) => [name, domainText(domain)])))
}
