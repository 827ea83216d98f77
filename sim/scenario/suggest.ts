/** Words for messages: what was perhaps meant, lists of names, values of the file made harmless. */
import { showName } from '../../src/publication/names.js'
import { editDistance } from '../../src/substrate/edit-distance.js'

const MOST_NAMED = 24

/** The candidate nearest to `word`, if it is near enough to be a slip of the hand. */
export function nearest (word: string, candidates: Iterable<string>): string | undefined {
  // A name is at most 32 characters; comparing a megabyte with a thousand names would be a way to stall the loader.
  if (word.length > 64) return undefined
  const most = word.length <= 3 ? 1 : word.length <= 7 ? 2 : 3
  let best: string | undefined
  let least = most + 1
  for (const candidate of candidates) {
    const d = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (d < least && d < candidate.length) [best, least] = [candidate, d]
  }
  return best
}

/** `alice, bob, carol; did you mean "bob"?` with at most 24 names. */
export function oneOf (word: unknown, candidates: readonly string[]): string {
  const shown = candidates.slice(0, MOST_NAMED).join(', ')
  const more = candidates.length > MOST_NAMED ? ` and ${candidates.length - MOST_NAMED} more` : ''
  const near = typeof word === 'string' ? nearest(word, candidates) : undefined
  return `${shown === '' ? 'none, as none is declared' : shown + more}${near === undefined ? '' : `; did you mean ${showName(near)}?`}`
}

/** A value of the file for a message: text quoted and without anything that a terminal could act upon, the rest by its kind. */
export function show (value: unknown): string {
  if (typeof value === 'string') return showName(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'a list' : 'a map'
}

/** A message of somebody else's, on one line and without what a terminal could act upon; it may quote the file. */
export function harmless (message: string): string {
  return message.slice(0, 200).replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu, '?')
}
