/** What may be a petname (RULES N1): never something that could be read as an identifier, and nothing that shows as something else. */

/** Letters and digits of any script, dot, dash, underscore; so no space, no slash, no control or direction mark. */
const SHAPE = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,63}$/u
/** DomainID, prefix of a Reference, CID. */
const IDENTIFIERS = [/^dom1/i, /^[0-9a-f]{12,}$/i, /^b[a-z2-7]{20,}$/i]

export function isPetname (text: string): boolean {
  return text === text.normalize('NFC') && SHAPE.test(text) && !IDENTIFIERS.some((r) => r.test(text))
}
