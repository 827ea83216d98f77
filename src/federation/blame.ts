/**
 * Points against a peer by what was refused; at 100 a host bans it for a while. One wrong block may be a broken disk, a forged signature isn't.
 * Local politeness, never trust.
 */
const POINTS: Readonly<Record<string, number>> = {
  'bad-signature': 25,
  'bad-evidence': 25,
  malformed: 25,
  'wrong-answer': 25,
  'reference-mismatch': 15,
  'bad-range': 15,
  timeout: 10,
  'log-withheld': 5
}

/** ms in which half of a peer's points are forgotten */
export const BLAME_HALF_LIFE = 10 * 60_000

export function blamePoints (code: string): number {
  return POINTS[code] ?? 5
}
