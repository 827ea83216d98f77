/** The colours of the page, by day and by night. The test holds each pair to WCAG 2.2 AA: 4.5 for text, 3 for shapes and controls. */

export const PALETTE = {
  paper: ['#faf9f5', '#12161a'],
  card: ['#ffffff', '#191f24'],
  ink: ['#1d2227', '#e9e7e2'],
  quiet: ['#5a626c', '#a8b0ba'],
  line: ['#e2dfd7', '#2c343b'],
  rule: ['#8a877e', '#6d7883'],
  accent: ['#1b5e9e', '#8ab8f5'],
  know: ['#1f9488', '#37ab9d'],
  other: ['#c77a0a', '#dc9a3a'],
  good: ['#14703d', '#71cd97'],
  bad: ['#b3261e', '#ff8f85'],
  proof: ['#7a3fb0', '#cba6f4'],
  publisher: ['#1f55a8', '#8ab4ff'],
  mirror: ['#6a4bb5', '#bfa8ff'],
  follower: ['#46525e', '#b3bfca'],
  reader: ['#8a6100', '#e2be69'],
  witness: ['#00698a', '#6fcdec'],
  adversary: ['#b3261e', '#ff8f85']
} as const satisfies Record<string, readonly [day: string, night: string]>

export type Colour = keyof typeof PALETTE

/** CSS declarations of one side. */
export function variables (side: 0 | 1): string {
  return Object.entries(PALETTE).map(([name, pair]) => `--${name}: ${pair[side]};`).join(' ')
}
