/**
 * When a node had each update of a domain. The function stands alone: the page's script carries it too, as source text.
 */
import type { Micros } from '../trace.js'

/** For each publication the moment at which its records first stood at the node, -1 when they never did. `update` is its number in the run; views in order of time. */
export function arrivalTimes (
  published: ReadonlyArray<{ readonly update: number }>,
  views: ReadonlyArray<{ readonly t: Micros, readonly brought: readonly number[] }>
): Micros[] {
  const times = published.map(() => -1)
  const indexOf = new Map(published.map(({ update }, i) => [update, i]))
  for (const { t, brought } of views) {
    for (const update of brought) {
      const i = indexOf.get(update)
      if (i !== undefined && times[i] === -1) times[i] = t
    }
  }
  return times
}

/** The value below which `thousandths` of the sorted numbers lie, -1 for none; as the meter of the world counts, so that equal figures look equal. */
export function percentile (sorted: readonly number[], thousandths: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * thousandths / 1000))] ?? -1
}
