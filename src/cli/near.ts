/** Which of the words that a parser suggests is near enough to what was typed to be worth a question: a typo, not another word. */

/** Letters that may differ, of a word of so many: `pubilsh`, `stauts`, but not `foo` for `root`. */
function allowed (length: number): number {
  return length < 4 ? 1 : 2
}

/** `suggestion` as commander writes it, `Did you mean one of a, b?`, without what isn't near `typed`; '' when nothing is left. */
export function nearOnly (suggestion: string, typed: string): string {
  const words = /^Did you mean (?:one of )?(.+)\?$/.exec(suggestion)?.[1]?.split(', ')
  if (words === undefined) return suggestion
  const near = words.filter((word) => differences(word.replace(/^-+/, ''), typed.replace(/^-+/, '')) <= allowed(typed.replace(/^-+/, '').length))
  return near.length === 0 ? '' : `Did you mean ${near.length === 1 ? '' : 'one of '}${near.join(', ')}?`
}

/** Letters put in, left out, changed, or swapped with their neighbour (optimal string alignment). */
function differences (a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), swapped))
    }
  }
  return at(a.length, b.length)
}
