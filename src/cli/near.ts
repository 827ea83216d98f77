/** Which of the words that a parser suggests is near enough to what was typed to be worth a question: a typo, not another word. */
import { editDistance } from '../substrate/edit-distance.js'

/** Letters that may differ, of a word of so many: `pubilsh`, `stauts`, but not `foo` for `root`. */
function allowed (length: number): number {
  return length < 4 ? 1 : 2
}

/** `suggestion` as commander writes it, `Did you mean one of a, b?`, without what isn't near `typed`; '' when nothing is left. */
export function nearOnly (suggestion: string, typed: string): string {
  const words = /^Did you mean (?:one of )?(.+)\?$/.exec(suggestion)?.[1]?.split(', ')
  if (words === undefined) return suggestion
  const near = words.filter((word) => editDistance(word.replace(/^-+/, ''), typed.replace(/^-+/, '')) <= allowed(typed.replace(/^-+/, '').length))
  return near.length === 0 ? '' : `Did you mean ${near.length === 1 ? '' : 'one of '}${near.join(', ')}?`
}
