/** What may be a petname (RULES N1): never something that could be read as an identifier, and nothing that shows as something else. */
import { DiadError } from '../../substrate/errors.js'

/** letters that a petname has at most */
export const MOST_LETTERS = 64

/** Letters and digits of any script, dot, dash, underscore; so no space, no slash, no control or direction mark. */
const SHAPE = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,63}$/u
const IDENTIFIERS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^dom1/i, 'what begins with dom1 is read as a DomainID'],
  [/^[0-9a-f]{12,}$/i, '12 or more hex digits are read as the beginning of a DomainID'],
  [/^b[a-z2-7]{20,}$/i, 'it would be read as a CID']
]

export function isPetname (text: string): boolean {
  return petnameFault(text) === undefined
}

/** Why `text` can't be a petname; undefined when it can. */
function petnameFault (text: string): string | undefined {
  const identifier = IDENTIFIERS.find(([shape]) => shape.test(text))
  if (identifier !== undefined) return identifier[1]
  if (text === '') return 'it is empty'
  if (text !== text.normalize('NFC')) return 'its letters aren\'t in composed form (NFC)'
  if (Array.from(text).length > MOST_LETTERS) return `it is longer than ${MOST_LETTERS} characters`
  return SHAPE.test(text) ? undefined : 'it has to begin with a letter or digit and hold only those, dot, dash and underscore'
}

/** Throws DiadError `malformed` unless `name` can be a petname. */
export function checkPetname (name: string): void {
  const fault = petnameFault(name)
  if (fault === undefined) return
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
  throw new DiadError('malformed', `${shown} can't be the name of a domain: ${fault}`, 'use letters, digits, dot, dash and underscore, as in alice or my-archive')
}
