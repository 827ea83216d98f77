/** How many slips of the hand lie between two words. */

/** Letters put in, left out, changed, or swapped with their neighbour (optimal string alignment); 4 where the lengths alone make it more than 3. */
export function editDistance (a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      let d = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, before[j - 2]! + 1)
      row.push(d)
    }
    [before, last] = [last, row]
  }
  return last[b.length]!
}
