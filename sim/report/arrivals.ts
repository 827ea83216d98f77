/**
 * When a node had each update of a domain. The function stands alone: the page's script carries it too, as source text.
 */
import type { Micros } from '../trace.js'

/**
 * For each publication the moment at which the node first showed a view at least as new, -1 when it never did.
 * Both lists in order of time; `logseq` decides, because a view names its newest record and not all of them.
 */
export function arrivalTimes (
  published: ReadonlyArray<{ readonly t: Micros, readonly logseq: number }>,
  views: ReadonlyArray<{ readonly t: Micros, readonly logseq: number }>
): Micros[] {
  const times = published.map(() => -1)
  let waiting: number[] = []
  let lowest = Infinity
  let next = 0
  for (const view of views) {
    for (let record = published[next]; record !== undefined && record.t <= view.t; record = published[next]) {
      waiting.push(next)
      lowest = Math.min(lowest, record.logseq)
      next += 1
    }
    // Most views bring the one update that is waiting; a node behind a cut has a long list, and it is walked only when something of it came.
    if (view.logseq < lowest) continue
    const still: number[] = []
    lowest = Infinity
    for (const i of waiting) {
      const logseq = published[i]?.logseq ?? 0
      if (logseq <= view.logseq) times[i] = view.t
      else {
        still.push(i)
        lowest = Math.min(lowest, logseq)
      }
    }
    waiting = still
  }
  return times
}

/** The value below which `thousandths` of the sorted numbers lie (nearest rank), -1 for none. */
export function percentile (sorted: readonly number[], thousandths: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * thousandths / 1000) - 1)] ?? -1
}
