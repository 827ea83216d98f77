/** DomainID text for people (RULES N1): bech32m with prefix `dom` over the 34 ReferenceBytes, so that a typo is caught by the checksum. */
import { bech32m } from '@scure/base'
import { MalformedError } from './errors.js'
import { type Reference, parseReference, referenceBytes, referenceFromBytes } from './reference.js'

const PREFIX = 'dom'

export function domainText (domain: Reference): string {
  return bech32m.encode(PREFIX, bech32m.toWords(referenceBytes(domain)), false)
}

/** `dom1abcd…wxyz`, for lists; where a person decides trust, show the whole string. */
export function shortDomain (domain: Reference): string {
  const text = domainText(domain)
  return `${text.slice(0, 8)}…${text.slice(-4)}`
}

/** Accepts dom1…, 68 hex digits and CIDv1. Throws `MalformedError`. */
export function parseDomain (text: string): Reference {
  const lower = text.toLowerCase()
  if (!lower.startsWith(PREFIX + '1')) return parseReference(text)
  try {
    const { prefix, words } = bech32m.decode(lower as `${string}1${string}`, false)
    if (prefix !== PREFIX) throw new MalformedError(`a DomainID starts with ${PREFIX}1`)
    return referenceFromBytes(bech32m.fromWords(words))
  } catch (err) {
    throw new MalformedError(`"${text}" is not a DomainID: its checksum or length is wrong (a mistyped letter?)`, { cause: err })
  }
}
