/** What refuses a bundle, or has no effect in one, in a sentence for people. Codes of verdicts have theirs in authority/verdict.ts. */
import { VERDICT_CODES, type VerdictCode } from '../authority/verdict.js'

const WORDS: ReadonlyMap<string, string> = new Map([
  ['reference-mismatch', 'a block\'s bytes aren\'t those that its name stands for: the file was damaged or changed; copy it again'],
  ['block-malformed', 'a block can\'t be read: the file was damaged or changed; copy it again'],
  ['header-malformed', 'this isn\'t the beginning of a bundle'],
  ['cut-off', 'the file ends too early; copy it again'],
  ['trailing-data', 'there is something behind the end of the bundle'],
  ['malformed', 'an object doesn\'t have the form that it has to have'],
  ['unexpected-object', 'an object stands here that has no place in a bundle, or that nothing before it names'],
  ['out-of-order', 'the parts of the file don\'t stand in the order that bundles have'],
  ['too-large', 'a part of the file is larger than is allowed'],
  ['head-missing', 'records come without the signed head that proves them'],
  ['bad-range', 'records aren\'t those that their signed head stands for'],
  ['range-gap', 'records are left out that aren\'t held here; take a full bundle'],
  ['base-differs', 'the file goes on from other records than those that are held here; take a full bundle'],
  ['internal-lane', 'it holds lanes that are internal to its domain: only a home of that domain takes them in; ask for a bundle without --internal'],
  ['other-domain', 'the bundle is about another domain'],
  ['not-exported', 'records that no key of the domain exports: nobody but its owner takes them in'],
  ['closed-lanes-bounded', 'one more lane of a key that was closed, or too much of one: only so many of them are taken in']
])

/** The code itself for one that nobody knows. */
export function faultText (code: string): string {
  return WORDS.get(code) ?? VERDICT_CODES.get(code as VerdictCode)?.meaning ?? code
}
